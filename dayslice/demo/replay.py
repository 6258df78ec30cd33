"""The replay: bring the source to the end of a day, import that day, build every model for it, and go on.

So a snapshot of the source *now* is honest for each day, as the source stands at that day's end.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dayslice.demo.dataset import FIRST, LAST
from dayslice.demo.source import READER, Source
from dayslice.errors import UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import Grain, parse_ds, shift, span
from dayslice.rules.connections_file import FILE, add_connection, read_connections
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import Plan, Step, make_plan
from dayslice.runner.project import Project
from dayslice.runner.runs import Outcome, run_plan

CONNECTION = "erp"
EMBEDDED = f"embedded:{READER}@demo/postgres"


@dataclass(frozen=True)
class Listeners:
    """Who is told while a replay goes on."""

    day: Callable[[str], None]
    slice: Callable[[Outcome], None]


def replayed_days(first: str, days: int) -> list[str]:
    """The ds values of a replay. Raises UsageError for days that the data set does not have."""
    if days < 1:
        raise UsageError(f"--days {days}: replay at least 1 day")
    last = shift(parse_ds(first, Grain.DAY), days - 1)
    if first < FIRST or last > LAST:
        raise UsageError(f"--from {first} --days {days} ends on {last}: the data set has {FIRST} to {LAST}")
    return span(first, last)


def demo_tables(project: Project) -> list[TableNode]:
    """The imports of the demo's source, and the models that stand on them alone."""
    chosen: dict[str, TableNode] = {}
    for unique_id, node in project.tables.items():
        upstream = {wait.upstream for wait in node.waits} - {unique_id}
        if node.meta.get("connection") == CONNECTION if node.is_import else upstream and upstream <= chosen.keys():
            chosen[unique_id] = node
    return list(chosen.values())


def register(home: Path) -> None:
    """Name the embedded database as connection `erp`, for importers. Raises UsageError if that name is taken."""
    variable = f"DAYSLICE_CONNECTION_{CONNECTION.upper()}"
    if os.environ.get(variable):
        raise UsageError(
            f"{variable} is set, so {CONNECTION} is another database than the demo's: unset it for the demo"
        )
    known = read_connections(home)
    if known.get(CONNECTION, EMBEDDED) != EMBEDDED:
        raise UsageError(
            f"{home / FILE}: {CONNECTION} is {known[CONNECTION]!r}: the demo needs that name for its own "
            "database. If it is one of an earlier demo, remove that line"
        )
    if CONNECTION not in known:
        add_connection(home, CONNECTION, EMBEDDED)


def make_replay(project: Project, tables: list[TableNode], days: list[str], newest: str | None) -> Plan:
    """What is missing of the days. `newest`: the day at whose end the source stands.

    Raises UsageError where the replay would tell an untruth: a snapshot of a day that is past, or a history with a gap.
    """
    with open_metastore(project.target) as metastore:
        published = {node.table: metastore.published(node.table).keys() for node in tables}
    plan = make_plan(tables, days[0], days[-1], published, snapshot_ds=frozenset(days))
    past = next((step.ds for step in plan.steps if step.imports and newest is not None and step.ds < newest), None)
    if past is not None:
        raise UsageError(
            f"the demo's source stands at the end of {newest} and cannot go back to {past}: "
            f"go on with --from {shift(newest or past, 1)}, or begin anew by removing {project.target.home}"
        )
    stands = max((ds for slices in published.values() for ds in slices), default=None)
    if stands is not None and days[0] > shift(stands, 1):
        raise UsageError(
            f"--from {days[0]} would leave a gap: the newest slice is of {stands}, go on with --from {shift(stands, 1)}"
        )
    return plan.followed_by(project.lineage.followers.values())


def replay(project: Project, source: Source, plan: Plan, listeners: Listeners) -> list[Outcome]:
    """Carry a plan out, day by day; end at the first day that fails, as the source must not run ahead of it."""
    failed: list[Outcome] = []

    def bring_forward(step: Step) -> bool:
        if failed:
            return False
        if step.tables:
            listeners.day(step.ds)
            source.advance(step.ds)
        return True

    def heard(outcome: Outcome) -> None:
        if outcome.failed:
            failed.append(outcome)
        listeners.slice(outcome)

    return run_plan(project, plan, heard, as_of_now=True, before=bring_forward)
