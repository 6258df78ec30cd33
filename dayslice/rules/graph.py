"""dbt's graph as tables of slices. Reads manifest.json's dict and Jinja's `graph` alike; pure.

Every id, path and dependency is dbt's own; nothing is kept by hand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.settings import LATEST_KEY, WAIT_PREFIX, TableSettings, read_settings
from dayslice.rules.slices import Table
from dayslice.rules.waits import Awaited, Wait

SLICE = "slice"  # the materialization of a table of slices

Node = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class TableNode:
    """A table of slices in the graph: a model that is materialized as `slice`, or an import (a source with meta)."""

    unique_id: str
    table: Table
    is_import: bool
    settings: TableSettings
    meta: Mapping[str, Any]
    path: str
    yaml: str
    """The file that has its settings; the model's own where it has none."""
    description: str
    columns: Mapping[str, Any]
    waits: tuple[Wait, ...]
    latest_view: str | None
    """The unique_id of a model's `_latest` view node; None for an import, whose view its importer makes."""

    @property
    def name(self) -> str:
        """The name that a person calls it by: a model's own name, or an import's `source.table`."""
        kind, _, rest = self.unique_id.partition(".")
        parts = rest.split(".")
        return ".".join(parts[1:3]) if kind == "source" else parts[1]

    def __str__(self) -> str:
        return self.name


def is_import(node: Node) -> bool:
    """Whether a source is imported by Dayslice; others are landed by somebody else."""
    return node["resource_type"] == "source" and "connection" in merged_meta(node)


def is_slices(node: Node) -> bool:
    """Whether a node is a table of slices."""
    return is_import(node) or (node["resource_type"] == "model" and node["config"]["materialized"] == SLICE)


def has_rows(node: Node) -> bool:
    """Whether a node stands in the engine as a table or a view."""
    return node["resource_type"] in ("source", "model", "seed", "snapshot")


def merged_meta(node: Node) -> dict[str, Any]:
    """A node's meta; a source table's own keys win over its source's."""
    merged = {**(node.get("source_meta") or {}), **((node.get("config") or {}).get("meta") or {})}
    # YAML 1.1 reads a bare `on:` as true, and dbt makes a text of it.
    return {"on" if str(key).lower() == "true" else key: value for key, value in merged.items()}


def table_of(node: Node) -> Table:
    """Where a node's rows stand in the engine. dbt's defer moves a node that is not selected to production."""
    place = node.get("defer_relation") or node
    name = place.get("alias") or place.get("identifier") or place["name"]
    return Table(place["schema"], name)


def find(graph: Node, unique_id: str) -> Node:
    """A node or a source by its unique_id."""
    found: Node = graph["nodes"].get(unique_id) or graph["sources"][unique_id]
    return found


def table_node(graph: Node, node: Node, latest_view: str | None = None) -> TableNode:
    """One table of slices. Raises UsageError for settings that are not allowed."""
    meta = merged_meta(node)
    yaml = (node.get("patch_path") or "").partition("://")[2] or node["original_file_path"]
    imported = node["resource_type"] == "source"
    return TableNode(
        unique_id=node["unique_id"],
        table=table_of(node),
        is_import=imported,
        settings=read_settings(meta, f"{yaml}: {node['name']}", imported),
        meta=meta,
        path=node["original_file_path"],
        yaml=yaml,
        description=node.get("description") or "",
        columns=node.get("columns") or {},
        waits=() if imported else tuple(waits_of(graph, node)),
        latest_view=latest_view,
    )


def tables_of(graph: Node) -> dict[str, TableNode]:
    """All tables of slices by unique_id, each after those it waits for (its own slices apart)."""
    views = {
        node["config"]["meta"][LATEST_KEY]: unique_id
        for unique_id, node in graph["nodes"].items()
        if node["resource_type"] == "model" and LATEST_KEY in (node["config"].get("meta") or {})
    }
    slices = {n["unique_id"]: n for n in (*graph["sources"].values(), *graph["nodes"].values()) if is_slices(n)}
    done: dict[str, TableNode] = {}

    def add(unique_id: str) -> None:
        if unique_id in done or unique_id not in slices:
            return
        for upstream in slice_ancestors(graph, slices[unique_id]):
            add(upstream)
        done[unique_id] = table_node(graph, slices[unique_id], views.get(slices[unique_id]["name"]))

    for unique_id in sorted(slices, key=lambda each: (not each.startswith("source."), each)):
        add(unique_id)
    return done


def waits_of(graph: Node, node: Node) -> Iterator[Wait]:
    """The waits of a model: those its macros left, and this run's slice of each table it reads by a plain ref."""
    recorded = [_recorded(graph, node, record) for key, record in _meta(node).items() if key.startswith(WAIT_PREFIX)]
    # What others land has no slices of ours to ask for; its freshness is dbt's to check.
    yield from (wait for wait in recorded if is_slices(find(graph, wait.upstream)))
    named = {wait.upstream for wait in recorded}
    for upstream in _reads_through_views(graph, node):
        if upstream not in named:
            yield Wait(upstream)


def awaited_of(graph: Node, node: TableNode) -> list[Awaited]:
    """A table's waits, with what its upstream tables are."""
    return [awaited(graph, wait, node) for wait in node.waits]


def awaited(graph: Node, wait: Wait, node: TableNode) -> Awaited:
    """One wait of a table, with what its upstream table is."""
    itself = wait.upstream == node.unique_id
    upstream = node if itself else table_node(graph, find(graph, wait.upstream))
    settings = upstream.settings
    return Awaited(wait, upstream.table, settings.grain, settings.kind, settings.start, itself)


def slice_ancestors(graph: Node, node: Node) -> list[str]:
    """The tables of slices that a node reads, directly or through views, but for itself."""
    found = [] if node["resource_type"] == "source" else _reads_through_views(graph, node)
    return [each for each in found if each != node["unique_id"]]


def ancestors(graph: Node, unique_id: str) -> set[str]:
    """Everything that is built before a node."""
    found: set[str] = set()
    todo = [unique_id]
    while todo:
        upstream = (find(graph, todo.pop()).get("depends_on") or {}).get("nodes") or []
        todo += [each for each in upstream if each not in found]
        found.update(upstream)
    return found


def is_audit(graph: Node, test: Node) -> bool:
    """Whether a test can run on a staged slice: a generic test of it that reads nothing that is built later."""
    table = test.get("attached_node")
    if test["resource_type"] != "test" or not test.get("test_metadata") or not table:
        return False
    others = set(test["depends_on"]["nodes"]) - {table}
    return is_slices(find(graph, table)) and others <= ancestors(graph, table)


def _meta(node: Node) -> Mapping[str, Any]:
    return (node.get("config") or {}).get("meta") or {}


def _reads_through_views(graph: Node, node: Node) -> list[str]:
    found: dict[str, None] = {}
    for unique_id in (node.get("depends_on") or {}).get("nodes") or ():
        upstream = find(graph, unique_id)
        if is_slices(upstream):
            found[unique_id] = None
        # A `_latest` view is the newest slice, whichever that is: nothing to wait for.
        elif upstream["resource_type"] == "model" and LATEST_KEY not in _meta(upstream):
            found.update(dict.fromkeys(_reads_through_views(graph, upstream)))
    return list(found)


def _recorded(graph: Node, node: Node, record: Mapping[str, Any]) -> Wait:
    offset, periods = int(record["offset"]), int(record["range"])
    if record.get("this"):
        return Wait(node["unique_id"], offset, periods)
    for unique_id in node["depends_on"]["nodes"]:
        upstream = find(graph, unique_id)
        if upstream["name"] == record["table"] and upstream.get("source_name") == record.get("source"):
            if not is_slices(upstream) and upstream["resource_type"] != "source":
                raise UsageError(
                    f"{node['original_file_path']}: slice('{record['table']}') names a "
                    f"{upstream['config']['materialized']}, not a table of slices: use ref('{record['table']}')"
                )
            return Wait(unique_id, offset, periods)
    raise UsageError(f"{node['original_file_path']}: slice('{record['table']}') names no table of this project")
