"""The compact index that DAGs are made from: one entry a table, all that a DAG file and its tasks need to know.

A manifest of a thousand tables takes seconds to read, and Airflow reads its DAG files in every task. The index is made
once, at deployment, and reads in milliseconds.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dayslice.errors import UsageError
from dayslice.orchestration.dag_followers import Following, following
from dayslice.orchestration.dag_tests import read_by_tests, tests_by_table
from dayslice.rules.calendar import Grain
from dayslice.rules.graph import Node, TableNode, awaited, find, is_import, table_of
from dayslice.rules.schedules import cron_of, duration_of, late_after_of, shortest_period
from dayslice.rules.settings import Kind, SettingError
from dayslice.rules.slices import Table
from dayslice.rules.waits import Awaited, Wait
from dayslice.runner.project import Project
from dayslice.runner.runs import preparations

DEFAULT_OWNER = "dayslice"
DUCKDB_POOL = "duckdb"
TRINO_POOL = "trino"
# A start: their slots are changed in Airflow.
# On the local target each build computes on this machine, in a process of its own.
POOL_SLOTS = {DUCKDB_POOL: max(2, os.cpu_count() or 1), TRINO_POOL: 8}
SOURCE_SLOTS = 2


@dataclass(frozen=True)
class IndexedWait:
    """A wait as JSON holds it; `awaited()` is the other form. `schema` and `name` are the upstream's in the engine."""

    upstream: str
    offset: int
    periods: int
    schema: str
    name: str
    grain: str
    kind: str
    start: str | None
    itself: bool
    asof: str | None = None
    follows: str | None = None
    followed: tuple[str, str] | None = None
    """Schema and name of the table that the wait follows."""

    @classmethod
    def of(cls, each: Awaited) -> "IndexedWait":
        """From the form that can be asked."""
        return cls(
            each.wait.upstream,
            each.wait.offset,
            each.wait.periods,
            each.table.schema,
            each.table.name,
            each.grain.value,
            each.kind.value,
            each.start,
            each.itself,
            each.wait.asof,
            each.wait.follows,
            (each.followed.schema, each.followed.name) if each.followed else None,
        )

    def awaited(self) -> Awaited:
        """The form that can be asked which slices it wants."""
        return Awaited(
            Wait(self.upstream, self.offset, self.periods, self.asof, self.follows),
            Table(self.schema, self.name),
            Grain(self.grain),
            Kind(self.kind),
            self.start,
            self.itself,
            Table(*self.followed) if self.followed else None,
        )


@dataclass(frozen=True)
class IndexedTable:
    """What one DAG is made from. Lists of names are dbt's `--select`.

    `wait_seconds`: how long a run waits for its slices. `late_seconds`: when its slice is late, counted from its
    period's beginning, its run's logical date; `late_after` is the same in the YAML's words, from the period's end.
    """

    dag_id: str
    unique_id: str
    name: str
    schema: str
    is_import: bool
    grain: str
    kind: str
    cron: str
    owner: str
    pool: str
    priority: int
    path: str
    description: str
    sql: str = ""
    wait_seconds: float = 0.0
    late_after: str | None = None
    late_seconds: float | None = None
    end: str | None = None
    tags: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()
    waits: tuple[IndexedWait, ...] = ()
    nodes: tuple[str, ...] = ()
    """The unique_ids of what the DAG builds and tests."""
    build: tuple[str, ...] = ()
    """A model, its latest view, and the seeds and plain views that it reads."""
    tests: tuple[str, ...] = ()
    """Tests that can only run after publication."""
    test_waits: tuple[IndexedWait, ...] = ()
    """What those tests read beyond what the model waited for."""
    followers: tuple[str, ...] = ()
    """What follows: models of other materializations that read this table, what those read besides, and their tests."""
    follower_nodes: tuple[str, ...] = ()
    """The unique_ids of those."""
    follower_waits: tuple[IndexedWait, ...] = ()
    """The tables that those read beyond what this one waited for."""
    engine_pool: str = ""
    """Where there are followers: the pool of the engine that computes them."""
    freshness: tuple[str, ...] = ()
    """Sources that others land, and whose freshness dbt is to check before."""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "IndexedTable":
        """From the index's JSON."""
        lists = (
            "tags",
            "upstream",
            "downstream",
            "nodes",
            "build",
            "tests",
            "followers",
            "follower_nodes",
            "freshness",
        )
        of_waits = ("waits", "test_waits", "follower_waits")
        waits = {key: tuple(IndexedWait(**each) for each in entry[key]) for key in of_waits}
        return cls(**{**entry, **waits, **{key: tuple(entry[key]) for key in lists}})

    @property
    def table(self) -> Table:
        """Where its rows stand."""
        return Table(self.schema, self.name)


def index_tables(project: Project, production: Mapping[str, Node] | None = None) -> list[IndexedTable]:
    """An entry for each table of the project, upstream first.

    `production`: the nodes that production has, by unique_id. Then the project is staging's: it imports nothing, and
    what it reads of others stands in production. Raises UsageError, naming file and table, for what makes no DAG.
    """
    tables = project.tables if production is None else {u: n for u, n in project.tables.items() if not n.is_import}
    ids = dag_ids(tables.values())
    upstream = {unique_id: _upstream(project.graph, node, ids) for unique_id, node in tables.items()}
    downstream: dict[str, list[str]] = {unique_id: [] for unique_id in tables}
    for unique_id, found in upstream.items():
        for each in found:
            downstream[each].append(unique_id)
    priority: dict[str, int] = {}
    for unique_id in reversed(tables):  # upstream comes first in `tables`, so downstream is known already
        priority[unique_id] = 1 + max((priority[each] for each in downstream[unique_id]), default=0)
    tests = tests_by_table(project, tables)
    followers = following(project, tables)
    return [
        IndexedTable(
            dag_id=ids[unique_id],
            upstream=tuple(ids[each] for each in upstream[unique_id]),
            downstream=tuple(ids[each] for each in downstream[unique_id]),
            priority=priority[unique_id],
            **_own(project, node),
            **_followed(project, followers.get(unique_id, Following()), production or {}),
            **(_imported(node) if node.is_import else _computed(project, node, tests[unique_id], production or {})),
        )
        for unique_id, node in tables.items()
    ]


def pools_of(tables: Iterable[IndexedTable]) -> dict[str, int]:
    """The pools that tables run in, with the slots to begin with."""
    pools = dict.fromkeys(pool for table in tables for pool in (table.pool, table.engine_pool) if pool)
    return {pool: POOL_SLOTS.get(pool, SOURCE_SLOTS) for pool in pools}


def dag_ids(tables: Iterable[TableNode]) -> dict[str, str]:
    """The DAG id of each table, by unique_id: its name. Raises UsageError for two that Airflow cannot tell apart."""
    found: dict[str, str] = {}
    names: dict[str, TableNode] = {}
    for node in tables:
        # Airflow's ids hold letters, digits, dash, dot and underscore.
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", node.name)
        if other := names.get(name):
            raise UsageError(f"{node.path}: {node} and {other} ({other.path}) would both be the DAG {name}: rename one")
        names[name] = node
        found[node.unique_id] = name
    return found


def _own(project: Project, node: TableNode) -> dict[str, Any]:
    settings = node.settings
    try:
        cron = cron_of(settings.schedule, settings.grain, project.time_zone)
        late = settings.late_after and late_after_of(settings.late_after, cron, settings.grain, project.time_zone)
        wait = duration_of(settings.wait_at_most, "wait_at_most")
    except UsageError as error:
        # A model's settings stand in its YAML, whose path dbt gives as package://path.
        raise SettingError(f"{node.yaml}: {node.table.name}", str(error).partition(":")[0], str(error)) from None
    return {
        "unique_id": node.unique_id,
        "name": node.table.name,
        "schema": node.table.schema,
        "is_import": node.is_import,
        "grain": settings.grain.value,
        "kind": settings.kind.value,
        "cron": cron,
        "owner": settings.owner or DEFAULT_OWNER,
        "wait_seconds": wait.total_seconds(),
        "late_after": settings.late_after,
        "late_seconds": (shortest_period(settings.grain, project.time_zone) + late).total_seconds() if late else None,
        "end": settings.end,
        "path": node.path,
        "description": node.description.strip(),
    }


def _imported(node: TableNode) -> dict[str, Any]:
    source = node.unique_id.split(".")[2]
    return {
        "pool": f"source_{node.meta['connection']}",
        "tags": ("import", f"source:{source}", *_owner_tag(node)),
        "meta": dict(node.meta),
    }


def _computed(project: Project, node: TableNode, tests: list[str], production: Mapping[str, Node]) -> dict[str, Any]:
    graph = project.graph
    own = find(graph, node.unique_id)
    waits = [_placed(awaited(graph, wait, node), production) for wait in node.waits]
    subject = node.path.split("/")[1:-1]
    own_views = [node.latest_view] if node.latest_view else []
    built = [*preparations(graph, [node.unique_id]), node.unique_id, *own_views]
    return {
        "pool": _engine_pool(project),
        "tags": (*(f"subject:{each}" for each in subject[:1]), *_owner_tag(node), *own["tags"]),
        "sql": own["raw_code"].strip(),
        "waits": tuple(IndexedWait.of(each) for each in waits),
        "nodes": (*built, *tests),
        "build": tuple(find(graph, each)["name"] for each in built),
        "tests": tuple(sorted(find(graph, each)["name"] for each in tests)),
        "test_waits": tuple(
            IndexedWait.of(_placed(each, production)) for each in read_by_tests(graph, node, tests, waits)
        ),
        "freshness": tuple(
            f"source:{upstream['source_name']}.{upstream['name']}"
            for upstream in (find(graph, each) for each in own["depends_on"]["nodes"])
            if upstream["resource_type"] == "source" and not is_import(upstream) and _has_freshness(upstream)
        ),
    }


def _followed(project: Project, found: Following, production: Mapping[str, Node]) -> dict[str, Any]:
    if not found.nodes:
        return {}
    return {
        "followers": tuple(find(project.graph, each)["name"] for each in found.nodes),
        "follower_nodes": found.nodes,
        "follower_waits": tuple(IndexedWait.of(_placed(each, production)) for each in found.waits),
        "engine_pool": _engine_pool(project),
    }


def _engine_pool(project: Project) -> str:
    return DUCKDB_POOL if project.target.is_local else TRINO_POOL


def _owner_tag(node: TableNode) -> tuple[str, ...]:
    return (f"owner:{node.settings.owner}",) if node.settings.owner else ()


def _placed(each: Awaited, production: Mapping[str, Node]) -> Awaited:
    """Where staging finds an upstream table: in production, if production has it."""
    if (follows := each.wait.follows or "") in production:
        each = replace(each, followed=table_of(production[follows]))
    if each.itself or each.wait.upstream not in production:
        return each
    return replace(each, table=table_of(production[each.wait.upstream]))


def _upstream(graph: Node, node: TableNode, ids: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(w.upstream for w in node.waits if w.upstream in ids and w.upstream != node.unique_id))


def _has_freshness(source: Node) -> bool:
    rule = source.get("freshness") or {}
    return any((rule.get(key) or {}).get("count") is not None for key in ("warn_after", "error_after"))
