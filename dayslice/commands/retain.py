"""`dayslice retain`: delete what the tables' retention lets go."""

import json
import sys
from dataclasses import asdict

import click

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.runner.project import load_project
from dayslice.runner.retain import Retained, retain
from dayslice.runner.selection import select_tables
from dayslice.runner.unowned import unowned_tables


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option(
    "--allow-loss", is_flag=True, help="Delete also so many unknown files that the metastore may be the wrong one."
)
@select
@exclude
@target
@as_json
def command(
    dry_run: bool,
    allow_loss: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    target: str | None,
    as_json: bool,
) -> None:
    """Delete slices that are past their table's retention, versions beyond those kept, and what dead runs left.

    Never the newest slice, nor one that a slice still to be computed reads. Files go a grace time later
    (DAYSLICE_GRACE_HOURS, default 24), at the next run, so that running queries finish. A rerun goes on after a kill.
    Files that no version owns go a grace time after they were first seen so; if there are too many of them, or the
    metastore knows nothing of the table, none of them go, and the command ends with 1.

    \b
    Examples:
      dayslice retain --dry-run
      dayslice retain --select flights_flat
    """
    project = load_project(target=target)
    results = []
    for each in retain(project, select_tables(project, select, exclude), dry_run, allow_loss):
        results.append(each)
        if not as_json:
            _tell(each, dry_run)
    if not (as_json or select or exclude):
        for left in unowned_tables(project):
            click.echo(str(left))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in results], indent=2))
    elif not any(any(list(asdict(each).values())[1:]) for each in results):
        click.echo("nothing is past its retention")
    if any(each.refused for each in results):
        sys.exit(1)


def _tell(result: Retained, dry_run: bool) -> None:
    verb = "would go" if dry_run else "gone"
    if result.slices:
        click.echo(f"{result.table}: {len(result.slices)} slices {verb}, {result.slices[0]} to {result.slices[-1]}")
    if result.needed:
        click.echo(f"{result.table}: {len(result.needed)} slices kept: a slice still to be computed reads them")
    if result.versions:
        click.echo(f"{result.table}: {len(result.versions)} versions {verb}")
    if result.refused:
        click.echo(result.refused, err=True)
    for table in result.unnamed:
        click.echo(
            f"{table}: its slices stand, and no model or source of the project names it any more: put its file back, "
            f"or drop table {table}, its journal in _dayslice, and its files"
        )
    if result.files:
        click.echo(f"{result.table}: the files of {len(result.files)} versions {verb}")
