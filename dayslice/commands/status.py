"""`dayslice status`: what stands, table by ds."""

import json
import shutil
from collections.abc import Collection, Mapping

import click
from rich.console import Console
from rich.table import Table as Grid

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import Grain, parse_ds, shift
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import periods
from dayslice.rules.slices import Version
from dayslice.runner.project import load_project
from dayslice.runner.selection import select_tables

Stands = Mapping[TableNode, Collection[str]]
Found = Mapping[TableNode, Mapping[str, Version]]


@click.command()
@click.option("--from", "first", metavar="DS", help="The first slice to show; default: the newest 14.")
@click.option("--to", "last", metavar="DS", help="The last slice to show; default: the newest published.")
@select
@exclude
@target
@as_json
def command(
    first: str | None,
    last: str | None,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    target: str | None,
    as_json: bool,
) -> int:
    """Show which slices are published, with their rows: table by ds. A gap is marked.

    \b
    Examples:
      dayslice status
      dayslice status --from 2013-01-01 --to 2013-01-31 --select erp.flights+
      dayslice status --json
    """
    project = load_project(target=target)
    tables = select_tables(project, select, exclude)
    with open_metastore(project.target) as metastore:
        stands = {node: metastore.published_ds(node.table) for node in tables}
        shown = shown_slices(stands, first, last)
        found = {node: metastore.published(node.table, shown.get(node.settings.grain, [])) for node in tables}
    if as_json:
        click.echo(json.dumps(as_document(found, shown), indent=2, ensure_ascii=False))
        return 0
    for grain, slices in shown.items():
        own = {node: v for node, v in found.items() if node.settings.grain is grain}
        width = shutil.get_terminal_size().columns  # 80 where there is no terminal
        for block in blocks(own, slices, stands, width, newest_only=not (first and last)):
            Console(width=width).print(status_grid(own, block, stands))
    if not shown:
        click.echo("nothing is published yet: try dayslice demo, or dayslice import --help")
    return 0


def shown_slices(found: Stands, first: str | None, last: str | None, columns: int = 14) -> dict[Grain, list[str]]:
    """The ds values to show for each grain that has tables."""
    shown: dict[Grain, list[str]] = {}
    for grain in Grain:
        stands = [ds for node, versions in found.items() if node.settings.grain is grain for ds in versions]
        if not any(node.settings.grain is grain for node in found) or not (stands or (first and last)):
            continue
        end = parse_ds(last) if last else max(stands)
        begin = parse_ds(first) if first else max(shift(end, 1 - columns), min(stands, default=end))
        shown[grain] = periods(begin, end, grain) if begin <= end else []
    return shown


def blocks(found: Found, slices: list[str], stands: Stands, width: int, newest_only: bool = False) -> list[list[str]]:
    """The slices in as many blocks, oldest first, as a screen of this width needs; or the newest one only."""
    names = max((len(node.name) for node in found), default=0) + 2
    done: list[list[str]] = []
    block: list[str] = []
    left = width - names
    for ds in reversed(slices):
        cells = [cell(v[ds]) if ds in v else gap(node, stands[node], ds) for node, v in found.items()]
        # The oldest of a block has its year in its head.
        wide = 2 + max(len(each) for each in (ds[5:], *cells))
        first = 2 + max(len(each) for each in (ds, *cells))
        if block and left < first:
            done.append(block[::-1])
            if newest_only:
                return done
            block, left = [], width - names
        block.append(ds)
        left -= wide
    return [*([block[::-1]] if block else []), *reversed(done)]


def status_grid(found: Found, slices: list[str], stands: Stands | None = None) -> Grid:
    """Tables down, slices across; rows in the cells, and a mark where a slice between others is missing.

    `stands`: every ds of each table; by default those found.
    """
    grid = Grid(box=None, header_style="bold", padding=(0, 1))
    grid.add_column("table", no_wrap=True)
    # The year once, in the first column: the rest is what differs.
    for number, ds in enumerate(slices):
        grid.add_column(
            ds if number == 0 or ds[:4] != slices[number - 1][:4] else ds[5:], justify="right", no_wrap=True
        )
    for node, versions in found.items():
        every = (stands or found)[node]
        cells = [cell(versions[ds]) if ds in versions else f"[red]{gap(node, every, ds)}[/red]" for ds in slices]
        grid.add_row(node.name, *cells)
    return grid


def cell(version: Version) -> str:
    """A published slice: its rows."""
    return f"{version.receipt.rows:,}"


def gap(node: TableNode, every: Collection[str], ds: str) -> str:
    """A slice that is not there: nothing before the table's start and after its newest one, and `missing` between."""
    start = node.settings.start or min(every, default=None)
    if start is None or ds < start or ds > max(every, default=""):
        return ""
    return "missing"


def as_document(found: Found, shown: dict[Grain, list[str]]) -> list[dict[str, object]]:
    """One object a published slice that is shown."""
    return [
        {
            "table": node.name,
            "ds": ds,
            "rows": versions[ds].receipt.rows,
            "bytes": versions[ds].receipt.bytes,
            "version": versions[ds].id,
            "published": versions[ds].receipt.finished,
        }
        for node, versions in found.items()
        for ds in shown.get(node.settings.grain, [])
        if ds in versions
    ]
