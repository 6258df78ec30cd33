"""`dayslice status`: what stands, table by ds; on the screen, as a page, as metrics."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click
from rich.cells import cell_len

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.console import print_json
from dayslice.metastore.choice import open_metastore
from dayslice.rules.followers import Follower
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import ranges
from dayslice.rules.slices import Version
from dayslice.rules.states import State
from dayslice.runner.board import Board, Problems, all_problems, look_at
from dayslice.runner.calendar_page.page import write_calendar
from dayslice.runner.followers import old_followers
from dayslice.runner.metrics import write_metrics
from dayslice.runner.project import load_project
from dayslice.runner.selection import select_tables
from dayslice.runner.unowned import Unowned, unowned_tables

Marks = Mapping[TableNode, Mapping[str, str]]
Found = Mapping[TableNode, Mapping[str, Version]]
FILE = click.Path(dir_okay=False, path_type=Path)
COLOURS = {"missing": "red", "late": "red", "refused": "magenta", "stale": "yellow", "empty": "yellow"}


@click.command()
@click.option("--from", "first", metavar="DS", help="The first slice to show; default: the newest 14.")
@click.option("--to", "last", metavar="DS", help="The last slice to show; default: the newest published.")
@click.option("--only", type=click.Choice(["problems"]), help="Only what is missing, late or refused, in ranges.")
@click.option("--exit-code", is_flag=True, help="End with 1 if anything is missing, late or refused.")
@click.option("--html", type=FILE, metavar="FILE", help="Write the calendar page, one file; default: the newest 400.")
@click.option("--prometheus", type=FILE, metavar="FILE", help="Write metrics, for node-exporter's textfile collector.")
@select
@exclude
@target
@as_json
def command(
    first: str | None,
    last: str | None,
    only: str | None,
    exit_code: bool,
    html: Path | None,
    prometheus: Path | None,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    target: str | None,
    as_json: bool,
) -> int:
    """Show which slices are published, with their rows: table by ds; and what is missing, late or refused.

    Missing: a gap. Late: nothing newer is there, and its late_after is past (without one: the next slice is due as
    well). `due`: its run should have begun; `refused`: its last try was; `expired`: retention let it go; `empty`: it
    has no rows; `stale`: it is there, and something that it was made from is another one now.

    \b
    Examples:
      dayslice status
      dayslice status --from 2013-01-01 --to 2013-01-31 --select erp.flights+
      dayslice status --only problems --exit-code
      dayslice status --html calendar.html
      dayslice status --prometheus /var/lib/node_exporter/dayslice.prom
      dayslice status --json
    """
    project = load_project(target=target)
    tables = select_tables(project, select, exclude)
    now = datetime.now(UTC)
    files = {"html": html, "prometheus": prometheus}
    with open_metastore(project.target) as metastore:
        if html:
            write_calendar(project, metastore, tables, now, html, first, last)
        if only:
            board = None
            there = metastore.published_ds_of([node.table for node in tables])
            stands = {node: there[node.table] for node in tables}
        else:
            board = look_at(project, metastore, tables, now, first, last)
            stands = dict(board.stands)
        problems = all_problems(project, stands, now)
        if prometheus:
            write_metrics(project, metastore, stands, problems, now, prometheus)
    unowned = [] if select or exclude else unowned_tables(project)
    old = {} if select or exclude or board is None else old_followers(project, project.lineage.followers.values())
    if as_json:
        print_json(problem_document(problems) if board is None else as_document(board, unowned, old))
    elif written := [f"wrote {file}" for file in files.values() if file]:
        click.echo("\n".join(written))
    elif board is None:
        for line in problem_lines(problems, project.time_zone):
            click.echo(line)
    else:
        show(board, problems, newest_only=not (first and last))
        for left in unowned:
            click.echo(str(left))
        for each, lacks in old.items():
            click.echo(click.wrap_text(old_line(each, lacks), shutil.get_terminal_size().columns))
    return 1 if exit_code and any(problems.values()) else 0


def show(board: Board, problems: Problems, newest_only: bool) -> None:
    """The board for people, in as many blocks as the screen needs, and what else there is to know."""
    width = shutil.get_terminal_size().columns  # 80 where there is no terminal
    marks = {node: marks_of(states) for node, states in board.states.items()}
    for grain, slices in board.shown.items():
        own = {node: v for node, v in board.versions.items() if node.settings.grain is grain}
        for block in blocks(own, slices, marks, width, newest_only):
            click.echo("\n".join(status_grid(own, block, marks)))
    if not board.shown:
        click.echo("nothing is published yet: try dayslice demo, or dayslice import --help")
        return
    count = len(board.tables)
    told = {
        "late": len([node for node, found in problems.items() if State.LATE in found]),
        "refused": len([node for node, found in problems.items() if State.REFUSED in found]),
    }
    if found := ", ".join(f"{state}: {number} of {count} tables" for state, number in told.items() if number):
        click.echo(click.wrap_text(f"{found}; dayslice status --only problems says what and since when", width))
    if any(State.STALE in states.values() for states in board.states.values()):
        click.echo(click.wrap_text("stale: dayslice plan --stale says why, dayslice backfill --stale makes it", width))


def marks_of(states: Mapping[str, State]) -> dict[str, str]:
    """What to show for the slices that are not simply there."""
    return {ds: state.value for ds, state in states.items() if state is not State.PUBLISHED}


def problem_lines(problems: Problems, zone: tzinfo) -> list[str]:
    """`flights_flat: late since 2013-01-04: 2013-01-04 to 2013-01-09 (6)`."""
    lines = []
    for node, found in problems.items():
        for state, slices in found.items():
            runs = ranges(slices, zone)
            told = ", ".join(f if n == 1 else f"{f} to {last} ({n})" for f, last, n in runs)
            owner = f"; owner {node.settings.owner}" if node.settings.owner else ""
            lines.append(f"{node.name}: {state.value}: {told}{owner}")
    return lines or ["nothing is missing, late or refused"]


def problem_document(problems: Problems) -> list[dict[str, object]]:
    """One object a slice that is missing, late or refused."""
    return [
        {"table": node.name, "ds": ds, "state": state.value, "owner": node.settings.owner}
        for node, found in problems.items()
        for state, slices in found.items()
        for ds in slices
    ]


def blocks(found: Found, slices: list[str], marks: Marks, width: int, newest_only: bool = False) -> list[list[str]]:
    """The slices in as many blocks, oldest first, as a screen of this width needs; or the newest one only."""
    names = max((len(node.name) for node in found), default=0) + 2
    done: list[list[str]] = []
    block: list[str] = []
    left = width - names
    for ds in reversed(slices):
        cells = [cell(v, marks.get(node, {}), ds) for node, v in found.items()]
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
    lines = [("table", heads, [""] * len(slices))]
    for node, versions in found.items():
        own = (marks or {}).get(node, {})
        cells = [cell(versions, own, ds) for ds in slices]
        lines.append((node.name, cells, [own.get(ds, "") for ds in slices]))
    name = max(cell_len(each) for each, *_ in lines)
    widths = [max(len(cells[column]) for _, cells, _ in lines) for column in range(len(slices))]
    drawn = []
    for number, (table, cells, states) in enumerate(lines):
        texts = [
            click.style(text.rjust(width), fg=COLOURS[state]) if state in COLOURS else text.rjust(width)
            for text, width, state in zip(cells, widths, states, strict=True)
        ]
        line = "  ".join([table + " " * (name - cell_len(table)), *texts])
        drawn.append(" " + (click.style(line, bold=True) if number == 0 else line))
    return drawn


def cell(versions: Mapping[str, Version], marks: Mapping[str, str], ds: str) -> str:
    """A published slice: its rows; or the mark of one that is not there, or not simply so."""
    if ds in marks or ds not in versions:
        return marks.get(ds, "")
    rows = versions[ds].receipt.rows
    return f"{rows:,}" if rows else State.EMPTY.value


def old_line(follower: Follower, lacks: Sequence[str]) -> str:
    """What a follower that is older than what it reads has not seen, and how it is made."""
    what = f"lacks {ranges_text(lacks)}" if follower.is_of_each_ds else "is older than what it reads"
    again = f"dayslice backfill --from {lacks[0]} --to {lacks[-1]} --select {follower.name}"
    return f"{follower.name} ({follower.kind}, made of tables of slices) {what}: {again}"


def ranges_text(slices: Sequence[str]) -> str:
    """`2013-01-04 to 2013-01-09 (6)`."""
    return slices[0] if len(slices) == 1 else f"{slices[0]} to {slices[-1]} ({len(slices)})"


def as_document(
    board: Board, unowned: Sequence[Unowned], old: Mapping[Follower, Sequence[str]]
) -> list[dict[str, object]]:
    """One object a slice that is shown, and is there or expected; one a table that no model owns; one a follower that
    is older than what it reads.
    """
    found: list[dict[str, object]] = []
    for node, states in board.states.items():
        for ds, state in states.items():
            told: dict[str, object] = {"table": node.name, "ds": ds, "state": state.value}
            version = board.versions[node].get(ds)
            if version is not None:
                told |= {
                    "rows": version.receipt.rows,
                    "bytes": version.receipt.bytes,
                    "version": version.id,
                    "published": version.receipt.finished,
                }
                told |= {"stale": reason} if (reason := board.stale.get(version.slice)) else {}
            found.append(told)
    for each in unowned:
        found.append({"table": str(each.table), "state": "unowned", "slices": each.slices})
    for follower, lacks in old.items():
        found.append({"table": follower.name, "state": "old", "lacks": list(lacks)})
    return found
