"""`dayslice unpublish`: take a slice away that should not be there."""

import click

from dayslice.commands.options import as_json, asked, target
from dayslice.console import print_json
from dayslice.rules.calendar import parse_ds
from dayslice.runner.plan_reports import stale_document, tell_stale
from dayslice.runner.project import load_project
from dayslice.runner.unpublish import unpublish


@click.command()
@click.argument("table")
@click.argument("ds")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target
@as_json
def command(table: str, ds: str, yes: bool, target: str | None, as_json: bool) -> int:
    """Remove a slice from its table, with the versions that are kept of it. The latest view goes back by one.

    For what should not have been published, such as a slice of a day to come. It cannot be rolled back afterwards;
    dayslice rollback goes back to an earlier version. Slices that were made from it are listed.

    \b
    Examples:
      dayslice unpublish erp.flights 2099-01-01
      dayslice unpublish flights_flat 2013-01-05 --yes
    """
    project = load_project(target=target)
    node = project.find(table)
    ds = parse_ds(ds, node.settings.grain)
    if not yes and not asked(f"{node} {ds} goes, with all its versions. Go on?", "--yes goes on without a question"):
        click.echo("nothing was done")
        return 0
    gone, stale = unpublish(project, node, ds)
    if as_json:
        print_json({"table": node.name, "ds": ds, "was": gone.id, "left_stale": stale_document(project, stale)})
        return 0
    click.echo(f"{node} {ds}: unpublished {gone.id}, {gone.receipt.rows:,} rows")
    tell_stale(project, stale)
    return 0
