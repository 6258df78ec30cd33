"""`dayslice drop`: take away what no model and no import of the project makes any more."""

import click

from dayslice.commands.options import as_json, asked, target
from dayslice.console import print_json
from dayslice.runner.drop import drop, find_left_over, left_over
from dayslice.runner.project import load_project


@click.command()
@click.argument("tables", nargs=-1, metavar="[SCHEMA.TABLE]…")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target
@as_json
def command(tables: tuple[str, ...], yes: bool, target: str | None, as_json: bool) -> int:
    """Drop tables and views that nothing of the project makes any more: slices, versions, files, the latest view.

    Without a table, list what is left over. Only what is named goes, and nothing that a model, a seed, a snapshot or
    a source names. It cannot be rolled back, and what reads it at this moment fails.

    \b
    Examples:
      dayslice drop
      dayslice drop analytics.regions
    """
    project = load_project(target=target)
    if not tables:
        found = left_over(project)
    else:
        found = list(dict.fromkeys(each for name in tables for each in find_left_over(project, name)))
    if not as_json:
        for each in found:
            click.echo(str(each))
    if tables and not yes and not asked("All of that goes, for good. Go on?", "--yes goes on without a question"):
        click.echo("nothing was done")
        return 0
    for each in found if tables else ():
        drop(project, each)
        if not as_json:
            click.echo(f"dropped {each.table}")
    if as_json:
        fields = ("kind", "slices", "bytes", "place")
        print_json([{"table": str(each.table), **{name: getattr(each, name) for name in fields}} for each in found])
    elif not found:
        click.echo("nothing is left over: each table and view in the project's schemas has its file")
    return 0
