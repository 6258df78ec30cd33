"""`dayslice why`: why a slice is as it is, or is not there."""

from datetime import UTC, datetime

import click

from dayslice.commands.options import as_json, target
from dayslice.console import print_json
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import parse_ds
from dayslice.runner.explaining import Explainer, chain_lines
from dayslice.runner.project import load_project


@click.command()
@click.argument("table")
@click.argument("ds")
@target
@as_json
def command(table: str, ds: str, target: str | None, as_json: bool) -> None:
    """Say in one sentence why a slice is late, missing or as it is; then the chain of slices that it stands on.

    For one that is not there: what it waits for, to where that begins, with owner and the usual time, or what refused
    it. For one that stands: when it came, what it was made of, and whether it would be made the same now. Then what
    reads it.

    \b
    Examples:
      dayslice why flights_flat 2013-01-05
      dayslice why erp.flights 2013-01-06 --json
    """
    project = load_project(target=target)
    node = project.find(table)
    with open_metastore(project.target) as metastore:
        found = Explainer(project, metastore, datetime.now(UTC)).explain(node, parse_ds(ds, node.settings.grain))
    if as_json:
        print_json(found.as_json())
        return
    click.echo(found.sentence)
    for line in chain_lines(found):
        click.echo(f"  {line}")
    for said in found.failed:
        click.echo(said)
    if found.downstream:
        click.echo(f"read by: {', '.join(found.downstream)}")
