"""`dayslice demo`: two weeks of New York's flights, from a production database to published tables."""

import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import duckdb
from rich.console import Console
from rich.table import Table as Grid

from dayslice.commands.options import as_json
from dayslice.commands.status import status_grid
from dayslice.demo.dataset import FIRST
from dayslice.demo.replay import Listeners, demo_tables, make_replay, register, replay, replayed_days
from dayslice.demo.source import Source
from dayslice.engines.trino_client import connect
from dayslice.metastore import readers_file
from dayslice.metastore.choice import open_metastore
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import Plan
from dayslice.runner.project import Project, load_project
from dayslice.runner.reports import Report, end
from dayslice.runner.runs import Outcome
from dayslice.store.duckdb_s3 import read_s3

SHOWN = "carrier_metrics_latest"
HEAD = """
select
    carrier_name as carrier,
    carrier_kind as kind,
    flights,
    cancelled,
    round(100 * late_arrival_share, 1) as "late %",
    round(mean_arrival_delay_minutes, 1) as "mean delay"
from {schema}.{table}
order by flights desc
limit 5
"""


@click.command()
@click.option("--days", default=14, show_default=True, metavar="N", help="How many days to replay, up to 365.")
@click.option("--from", "first", default=FIRST, show_default=True, metavar="DS", help="The first day.")
@as_json
def command(days: int, first: str, as_json: bool) -> int:
    """Replay days of 2013: every flight that left New York, imported, computed, audited and published day by day.

    The source is an embedded PostgreSQL that is brought to the end of each day. What is published already is skipped,
    so a demo that was stopped goes on where it was, and a longer one goes on from a shorter.

    \b
    Examples:
      dayslice demo
      dayslice demo --days 56
    """
    replayed = replayed_days(first, days)
    console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=as_json)
    started = time.monotonic()
    with ExitStack() as opened:
        with console.status(
            "Reading the dbt project and starting PostgreSQL (after another demo, if one is running) …"
        ):
            project = load_project()
            register(project.target.home)
            source = opened.enter_context(Source(project.target.home))
            tables = demo_tables(project)
            plan = make_replay(project, tables, replayed, source.newest())
        outcomes = run(project, source, plan, as_json)
    code = end(outcomes, plan.done, as_json)
    if not as_json and not code:
        show(project, tables, replayed, time.monotonic() - started)
    return code


def run(project: Project, source: Source, plan: Plan, as_json: bool) -> list[Outcome]:
    """The replay, with a bar of days and one of slices; without a terminal, a line a day."""
    with Report(plan.size, as_json) as report:
        days = report.progress.add_task("", total=len(plan.steps), what="days")
        sizes = {step.ds: step.size for step in plan.steps}
        count = 0

        def day(ds: str) -> None:
            report.progress.update(days, description=f"{ds} from the source")

        def slice_(outcome: Outcome) -> None:
            nonlocal count
            count += 1
            report.heard(outcome)
            if count == sizes[outcome.ds]:
                count = 0
                report.progress.update(days, advance=1)
                if not (as_json or report.console.is_terminal):
                    report.console.print(f"{outcome.ds}: {sizes[outcome.ds]} slices")

        return replay(project, source, plan, Listeners(day, slice_))


def show(project: Project, tables: list[TableNode], days: list[str], seconds: float) -> None:
    """What stands now, the head of one table, and what to try next."""
    console = Console(highlight=False)
    with open_metastore(project.target) as metastore:
        found = {node: metastore.published(node.table) for node in tables}
    # As many of the newest days as fit beside the names.
    fitting = max(2, (console.width - max(len(node.name) for node in tables) - 6) // 8) if console.is_terminal else 14
    console.print(f"\n[bold]What stands[/bold] (rows of each slice), after {seconds:.0f} s", soft_wrap=True)
    click.echo("\n".join(status_grid(found, days[-fitting:])))
    console.print(f"\n[bold]{SHOWN}[/bold]: the busiest carriers, from the first day on", soft_wrap=True)
    console.print(head(project))
    console.print("\n[bold]The lineage site[/bold]", soft_wrap=True)
    program = program_name()
    console.print(f"  {program} docs", soft_wrap=True)
    console.print("\n[bold]Try next[/bold]", soft_wrap=True)
    for line in next_commands(days):
        console.print(f"  {program} {line}", soft_wrap=True, markup=False)


def head(project: Project) -> Grid:
    """The first rows of the shown table."""
    query = HEAD.format(schema=project.target.schema, table=SHOWN)
    if project.target.database_file is None:
        with connect(project.target.credentials) as connection:
            return head_grid(connection.cursor().execute(query))
    readers_file.finish()
    with duckdb.connect(str(project.target.database_file), read_only=True) as connection:
        read_s3(connection, project.target.warehouse)
        return head_grid(connection.execute(query))


def head_grid(cursor: Any) -> Grid:
    """The rows of a query; names to the left, numbers to the right."""
    grid = Grid(box=None, header_style="bold", padding=(0, 1))
    for name, kind, *_ in cursor.description or []:
        grid.add_column(name, no_wrap=True, justify="left" if str(kind).lower() == "varchar" else "right")
    for row in cursor.fetchall():
        grid.add_row(*[f"{value:,}" if isinstance(value, int) else str(value) for value in row])
    return grid


def next_commands(days: list[str]) -> list[str]:
    """Commands that go on from here; each works as it stands."""
    more = min(len(days) * 2, 365)
    return [
        f'sql "select * from {SHOWN} order by flights desc"',
        "status",
        f"build --ds {days[-1]} --select flights_flat+",
        f"demo --days {more}" + (f" --from {days[0]}" if days[0] != FIRST else ""),
    ]


def program_name() -> str:
    """How this person calls the program: by its name if it is on their path."""
    here = Path(sys.argv[0])
    found = shutil.which("dayslice")
    return "dayslice" if found and Path(found).resolve() == here.resolve() else str(here)
