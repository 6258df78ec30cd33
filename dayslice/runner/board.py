"""How all slices of some tables stand: what `status`, its page, its metrics and alerts are made from, in few looks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from dayslice.metastore.begun import refused_slices
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import Grain, parse_ds, shift
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import periods
from dayslice.rules.slices import Slice, Table, Version
from dayslice.rules.states import State, expected_of, problems_of, states_of
from dayslice.runner.judging import judge
from dayslice.runner.project import Project

Stands = Mapping[TableNode, Collection[str]]
Problems = Mapping[TableNode, Mapping[State, list[str]]]
COLUMNS = 14
"""How many slices are shown where nobody says which."""


@dataclass(frozen=True)
class Board:
    """Tables by ds. `stands`: every published ds; the rest is of the slices that are shown, by grain, oldest first."""

    tables: Sequence[TableNode]
    now: datetime
    zone: tzinfo
    stands: Mapping[TableNode, list[str]]
    shown: Mapping[Grain, list[str]]
    versions: Mapping[TableNode, Mapping[str, Version]]
    states: Mapping[TableNode, Mapping[str, State]]
    stale: Mapping[Slice, str]
    """Why a slice that stands would be made again."""
    refused: Mapping[Slice, list[str]]
    """What was said of tries that left something."""


def look_at(
    project: Project,
    metastore: Metastore,
    tables: Sequence[TableNode],
    now: datetime,
    first: str | None = None,
    last: str | None = None,
    columns: int = COLUMNS,
) -> Board:
    """The board of these tables from one ds to another; by default their newest ones that are published."""
    zone = project.time_zone
    there = metastore.published_ds_of([node.table for node in tables])
    stands = {node: there[node.table] for node in tables}
    shown = shown_slices(stands, first, last, columns)
    versions = published_of(metastore, tables, shown)
    models = {(n.unique_id, ds): v for n, found in versions.items() if not n.is_import for ds, v in found.items()}
    seen = {version.slice: version for found in versions.values() for version in found.values()}
    reasons = {models[key].slice: reason for key, reason in judge(project, metastore, models, seen).items()}
    lacking = (
        Slice(node.table, ds)
        for node in tables
        for ds in shown.get(node.settings.grain, ())
        if ds not in versions[node]
    )
    refused = refused_slices(project.target.notes, lacking)
    stale, tried = ds_by_table(reasons), ds_by_table(refused)
    states = {
        node: states_of(
            node,
            shown.get(node.settings.grain, ()),
            versions[node],
            stands[node],
            now,
            zone,
            stale.get(node.table, ()),
            tried.get(node.table, ()),
        )
        for node in tables
    }
    return Board(tables, now, zone, stands, shown, versions, states, reasons, refused)


def all_problems(project: Project, stands: Mapping[TableNode, list[str]], now: datetime) -> Problems:
    """What is missing, late or refused of each table, of all times."""
    zone = project.time_zone
    found = {node: problems_of(node, there, now, zone) for node, there in stands.items()}
    slices = (Slice(node.table, ds) for node, states in found.items() for each in states.values() for ds in each)
    tried = ds_by_table(refused_slices(project.target.notes, slices))
    for node in [node for node in stands if node.table in tried]:
        found[node] = problems_of(node, stands[node], now, zone, tried[node.table])
    return found


def ds_by_table(slices: Iterable[Slice]) -> dict[Table, set[str]]:
    """The ds of each table that has some."""
    found: dict[Table, set[str]] = {}
    for each in slices:
        found.setdefault(each.table, set()).add(each.ds)
    return found


def published_of(
    metastore: Metastore, tables: Sequence[TableNode], shown: Mapping[Grain, list[str]]
) -> dict[TableNode, Mapping[str, Version]]:
    """What is published of the slices that are shown."""
    found: dict[TableNode, Mapping[str, Version]] = {node: {} for node in tables}
    for grain, slices in shown.items():
        own = [node for node in tables if node.settings.grain is grain]
        if slices:
            versions = metastore.overview([node.table for node in own], slices[0], slices[-1])
            found |= {node: versions[node.table] for node in own}
    return found


def shown_slices(
    stands: Stands, first: str | None, last: str | None, columns: int = COLUMNS, ends: Mapping[Grain, str] | None = None
) -> dict[Grain, list[str]]:
    """The ds values to show for each grain that has tables. `ends`: where they end, if nobody says it."""
    shown: dict[Grain, list[str]] = {}
    for grain in Grain:
        there = [ds for node, slices in stands.items() if node.settings.grain is grain for ds in slices]
        end_of_grain = (ends or {}).get(grain)
        if not any(node.settings.grain is grain for node in stands) or not (there or end_of_grain or (first and last)):
            continue
        end = parse_ds(last) if last else end_of_grain or max(there)
        begin = parse_ds(first) if first else max(shift(end, 1 - columns), min(there, default=end))
        shown[grain] = periods(begin, end, grain) if begin <= end else []
    return shown


def newest_expected(
    stands: Mapping[TableNode, list[str]], now: datetime, zone: tzinfo, columns: int
) -> dict[Grain, str]:
    """Up to where each grain is shown: one period more than what is expected by now.

    Where nothing is published of all those columns, as of a history that has ended, up to a little after its end.
    """
    found: dict[Grain, str] = {}
    for grain in Grain:
        own = {node: there for node, there in stands.items() if node.settings.grain is grain}
        newest = max((there[-1] for there in own.values() if there), default=None)
        if newest is None:
            continue
        ends = [expected_of(node, there, now, zone, newest).newest for node, there in own.items()]
        end = max(*ends, newest)
        is_over = newest < shift(end, 1 - columns)
        found[grain] = shift(newest, max(1, columns // 8)) if is_over else shift(end, 1)
    return found
