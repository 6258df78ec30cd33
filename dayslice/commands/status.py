"""`dayslice status`: what stands, table by ds."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

import click
from rich.cells import cell_len

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.console import print_json
from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import Grain, parse_ds, shift
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import periods, ranges
from dayslice.rules.slices import Version
from dayslice.rules.states import State, expected_of, let_go, problems_of, state_of
from dayslice.runner.project import load_project
from dayslice.runner.selection import select_tables
from dayslice.runner.unowned import unowned_tables

Stands = Mapping[TableNode, Collection[str]]
Marks = Mapping[TableNode, Mapping[str, str]]
Problems = Mapping[TableNode, Mapping[State, list[str]]]
Found = Mapping[TableNode, Mapping[str, Version]]


@click.command()
@click.option("--from", "first", metavar="DS", help="The first slice to show; default: the newest 14.")
@click.option("--to", "last", metavar="DS", help="The last slice to show; default: the newest published.")
@click.option("--only", type=click.Choice(["problems"]), help="Only what is missing or late, in ranges.")
@click.option("--exit-code", is_flag=True, help="End with 1 if anything is missing or late.")
@select
@exclude
@target
@as_json
def command(
    first: str | None,
    last: str | None,
    only: str | None,
    exit_code: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    target: str | None,
    as_json: bool,
) -> int:
    """Show which slices are published, with their rows: table by ds; and what is missing or late.

    Missing: a gap. Late: nothing newer is there, and its late_after is past (without one: the next slice is due as
    well). `due`: its run should have begun; `expired`: retention let it go; `empty`: it has no rows.

    \b
    Examples:
      dayslice status
      dayslice status --from 2013-01-01 --to 2013-01-31 --select erp.flights+
      dayslice status --only problems --exit-code
      dayslice status --json
    """
    project = load_project(target=target)
    tables = select_tables(project, select, exclude)
    with open_metastore(project.target) as metastore:
        there = metastore.published_ds_of([node.table for node in tables])
        stands = {node: there[node.table] for node in tables}
        shown = {} if only else shown_slices(stands, first, last)
        found = published_of(metastore, tables, shown)
    now = datetime.now(UTC)
    problems = {node: problems_of(node, stands[node], now, project.time_zone) for node in tables}
    if as_json:
        print_json(problem_document(problems) if only else as_document(found, shown))
    elif only:
        for line in problem_lines(problems, project.time_zone):
            click.echo(line)
    else:
        marks = {node: marks_of(node, stands[node], shown, now, project.time_zone) for node in tables}
        width = shutil.get_terminal_size().columns  # 80 where there is no terminal
        for grain, slices in shown.items():
            own = {node: v for node, v in found.items() if node.settings.grain is grain}
            for block in blocks(own, slices, marks, width, newest_only=not (first and last)):
                click.echo("\n".join(status_grid(own, block, marks)))
        if not shown:
            click.echo("nothing is published yet: try dayslice demo, or dayslice import --help")
        elif late := [node.name for node, found_ in problems.items() if State.LATE in found_]:
            told = (
                f"late: {len(late)} of {len(tables)} tables; dayslice status --only problems says what and since when"
            )
            click.echo(click.wrap_text(told, width))
        for left in [] if select or exclude else unowned_tables(project):
            click.echo(str(left))
    return 1 if exit_code and any(problems.values()) else 0


def published_of(metastore: Metastore, tables: Sequence[TableNode], shown: Mapping[Grain, list[str]]) -> Found:
    """What is published of the slices that are shown."""
    found: dict[TableNode, Mapping[str, Version]] = {node: {} for node in tables}
    for grain, slices in shown.items():
        own = [node for node in tables if node.settings.grain is grain]
        if slices:
            versions = metastore.overview([node.table for node in own], slices[0], slices[-1])
            found |= {node: versions[node.table] for node in own}
    return found


def marks_of(
    node: TableNode, stands: Collection[str], shown: Mapping[Grain, list[str]], now: datetime, zone: tzinfo
) -> dict[str, str]:
    """What to show for the slices that are not there."""
    lacking = [ds for ds in shown.get(node.settings.grain, []) if ds not in set(stands)]
    start = node.settings.start or min(stands, default=None)
    if not lacking or start is None:
        return {}
    expected = expected_of(node, stands, now, zone, min(lacking))
    expired = let_go(node, lacking, stands)
    states = {ds: state_of(node, ds, stands, expected, expired) for ds in lacking if ds >= start}
    return {ds: state.value for ds, state in states.items() if state is not None}


def problem_lines(problems: Problems, zone: tzinfo) -> list[str]:
    """`flights_flat: late since 2013-01-04: 2013-01-04 to 2013-01-09 (6)`."""
    lines = []
    for node, found in problems.items():
        for state, slices in found.items():
            runs = ranges(slices, zone)
            told = ", ".join(f if n == 1 else f"{f} to {last} ({n})" for f, last, n in runs)
            owner = f"; owner {node.settings.owner}" if node.settings.owner else ""
            lines.append(f"{node.name}: {state.value}: {told}{owner}")
    return lines or ["nothing is missing or late"]


def problem_document(problems: Problems) -> list[dict[str, object]]:
    """One object a slice that is missing or late."""
    return [
        {"table": node.name, "ds": ds, "state": state.value, "owner": node.settings.owner}
        for node, found in problems.items()
        for state, slices in found.items()
        for ds in slices
    ]


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


def blocks(found: Found, slices: list[str], marks: Marks, width: int, newest_only: bool = False) -> list[list[str]]:
    """The slices in as many blocks, oldest first, as a screen of this width needs; or the newest one only."""
    names = max((len(node.name) for node in found), default=0) + 2
    done: list[list[str]] = []
    block: list[str] = []
    left = width - names
    for ds in reversed(slices):
        cells = [cell(v[ds]) if ds in v else marks[node].get(ds, "") for node, v in found.items()]
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


def status_grid(found: Found, slices: list[str], marks: Marks | None = None) -> list[str]:
    """A head and a line a table, slices across; rows in the cells, and a mark where a slice is not there.

    Aligned here: rich takes three seconds for the grid of a thousand tables.
    """
    # The year once, in the first column: the rest is what differs.
    heads = [ds if number == 0 or ds[:4] != slices[number - 1][:4] else ds[5:] for number, ds in enumerate(slices)]
    lines = [("table", heads, [True] * len(slices))]
    for node, versions in found.items():
        own = (marks or {}).get(node, {})
        cells = [cell(versions[ds]) if ds in versions else own.get(ds, "") for ds in slices]
        lines.append((node.name, cells, [ds in versions for ds in slices]))
    name = max(cell_len(each) for each, *_ in lines)
    widths = [max(len(cells[column]) for _, cells, _ in lines) for column in range(len(slices))]
    drawn = []
    for number, (table, cells, there) in enumerate(lines):
        texts = [
            text.rjust(width) if stands else click.style(text.rjust(width), fg="red")
            for text, width, stands in zip(cells, widths, there, strict=True)
        ]
        line = "  ".join([table + " " * (name - cell_len(table)), *texts])
        drawn.append(" " + (click.style(line, bold=True) if number == 0 else line))
    return drawn


def cell(version: Version) -> str:
    """A published slice: its rows."""
    return f"{version.receipt.rows:,}" if version.receipt.rows else State.EMPTY.value


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
