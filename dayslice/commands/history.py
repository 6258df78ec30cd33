"""`dayslice history`: each version of a slice, when, why, and what changed."""

import click
from rich.console import Console
from rich.table import Table as Grid

from dayslice.commands.options import as_json, target
from dayslice.console import print_json
from dayslice.rules.calendar import parse_ds
from dayslice.runner.project import load_project
from dayslice.runner.slice_history import Event, history_of


@click.command()
@click.argument("table")
@click.argument("ds")
@target
@as_json
def command(table: str, ds: str, target: str | None, as_json: bool) -> None:
    """List the versions of a slice that are kept, oldest first: when each was made, why, and what changed in it.

    Why: by their receipts, its logic or the version of an input is another than before. What changed: the rows, and
    the columns whose fingerprint is another; dayslice diff says how.

    \b
    Examples:
      dayslice history daily_sales 2018-03-01
      dayslice history erp.orders 2018-03-01 --json
    """
    project = load_project(target=target)
    node = project.find(table)
    events = history_of(project, node, parse_ds(ds, node.settings.grain))
    if as_json:
        print_json([each.as_json() for each in events])
    elif events:
        Console(width=None if Console().is_terminal else 200).print(grid(events))
    else:
        click.echo(f"{node} {ds} is not published, and nothing of it is kept")


def grid(events: list[Event]) -> Grid:
    """A line a version."""
    shown = Grid("version", "", "finished", "rows", "why", "what changed", box=None, header_style="bold")
    for each in events:
        mark = "[green]published[/green]" if each.published else ""
        when = each.finished[:19].replace("T", " ")
        shown.add_row(each.name, mark, when, f"{each.rows:,}", "; ".join(each.why), "; ".join(each.what))
    return shown
