"""`dayslice rollback`: publish an earlier version of a slice again."""

import json

import click

from dayslice.commands.options import as_json, target
from dayslice.rules.calendar import parse_ds
from dayslice.runner.project import load_project
from dayslice.runner.rollback import roll_back


@click.command()
@click.argument("table")
@click.option("--ds", required=True, metavar="DS", help="Which slice.")
@click.option("--to", "wanted", metavar="VERSION", help="Its id or how it begins; default: the one before.")
@target
@as_json
def command(table: str, ds: str, wanted: str | None, target: str | None, as_json: bool) -> None:
    """Make an earlier version of a slice the published one again: one call, nothing is computed.

    Readers see one version or the other. Nothing downstream is recomputed.

    \b
    Examples:
      dayslice rollback flights_flat --ds 2013-01-05
      dayslice rollback flights_flat --ds 2013-01-05 --to v20261123
    """
    project = load_project(target=target)
    node = project.find(table)
    before, now = roll_back(project, node, parse_ds(ds, node.settings.grain), wanted)
    if as_json:
        document = {"table": node.name, "ds": now.slice.ds, "before": before.id if before else None, "now": now.id}
        click.echo(json.dumps(document, indent=2))
        return
    was = f" (was {before.id}, {before.receipt.rows:,} rows)" if before else ""
    click.echo(f"{node} {now.slice.ds}: published {now.id}, {now.receipt.rows:,} rows{was}")
