"""dbt's graph as tables of slices. Reads manifest.json's dict and Jinja's `graph` alike; pure.

Every id, path and dependency is dbt's own; nothing is kept by hand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.keys import key_of, tests_by_table
from dayslice.rules.settings import LATEST_KEY, WAIT_PREFIX, TableSettings, read_settings
from dayslice.rules.slices import Table
from dayslice.rules.waits import Awaited, Wait

# The strategy of a table of slices, an incremental model.
SLICE = "slice"

# The macros that look at which slices are published: what others land has none to look at.
OF_PUBLISHED = ("asof", "history")

# A test's `meta: {slices: all}`: it reads every slice.
ALL_SLICES = "all"

Node = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class TableNode:
    """A table of slices in the graph: an incremental model of our strategy, or an import (a source with meta)."""

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
    key: tuple[str, ...] = ()
    """The columns that tell the rows of a slice apart, as a contract, a `unique_key` or a test says; () without."""

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
    return is_import(node) or (node["resource_type"] == "model" and has_slice_strategy(node["config"]))


def has_slice_strategy(config: Node) -> bool:
    """Whether a model's config makes it a table of slices: `slice`, or its other name, `delete+insert` of the ds."""
    if config["materialized"] != "incremental":
        return False
    strategy = config.get("incremental_strategy")
    return strategy == SLICE or (strategy == "delete+insert" and is_ds(config.get("partition_by")))


def is_latest(node: Node) -> bool:
    """Whether a node is the `_latest` view of a table."""
    return node["resource_type"] == "model" and LATEST_KEY in _meta(node)


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
    try:
        table = table_of(node)
    except UsageError as error:
        raise UsageError(f"{yaml}: {node['name']}: {error}") from None
    return TableNode(
        unique_id=node["unique_id"],
        table=table,
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
    tests = tests_by_table(graph)

    def add(unique_id: str) -> None:
        if unique_id in done or unique_id not in slices:
            return
        for upstream in slice_ancestors(graph, slices[unique_id]):
            add(upstream)
        node = table_node(graph, slices[unique_id], views.get(slices[unique_id]["name"]))
        done[unique_id] = replace(node, key=key_of(slices[unique_id], tests.get(unique_id, ())))

    for unique_id in sorted(slices, key=lambda each: (not each.startswith("source."), each)):
        add(unique_id)
    return done


def waits_of(graph: Node, node: Node) -> Iterator[Wait]:
    """The waits of a model: those its macros left, and this run's slice of each table it reads by a plain ref."""
    yield from dict.fromkeys(_waits(graph, node))


def _waits(graph: Node, node: Node) -> Iterator[Wait]:
    recorded = [
        each
        for key, record in _meta(node).items()
        if key.startswith(WAIT_PREFIX)
        if (each := _recorded(graph, node, record))
    ]
    # What others land has no slices of ours to ask for; its freshness is dbt's to check.
    yield from (wait for wait, waited in recorded if waited and is_slices(find(graph, wait.upstream)))
    named = {wait.upstream for wait, _ in recorded}
    for unique_id in (node.get("depends_on") or {}).get("nodes") or ():
        upstream = find(graph, unique_id)
        if is_slices(upstream):
            if unique_id not in named:
                yield Wait(unique_id)
        # An ephemeral model is a part of this one, its offsets among it.
        elif upstream["resource_type"] == "model" and upstream["config"]["materialized"] == "ephemeral":
            yield from _waits(graph, upstream)
        elif unique_id not in named:
            yield from (Wait(each) for each in slices_below(graph, upstream) if each not in named)


def awaited_of(graph: Node, node: TableNode) -> list[Awaited]:
    """A table's waits, with what its upstream tables are."""
    return [awaited(graph, wait, node) for wait in node.waits]


def awaited(graph: Node, wait: Wait, node: TableNode) -> Awaited:
    """One wait of a table, with what its upstream table is."""
    itself = wait.upstream == node.unique_id
    upstream = node if itself else table_node(graph, find(graph, wait.upstream))
    settings = upstream.settings
    followed = table_of(find(graph, wait.follows)) if wait.follows else None
    return Awaited(wait, upstream.table, settings.grain, settings.kind, settings.start, itself, followed)


def slice_ancestors(graph: Node, node: Node) -> list[str]:
    """The tables of slices that a node reads, directly or through views, but for itself."""
    found = [] if node["resource_type"] == "source" else slices_below(graph, node)
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
    # One that asks for every slice has nothing to say of the staged one alone.
    if (test["config"].get("meta") or {}).get("slices") == ALL_SLICES:
        return False
    others = set(test["depends_on"]["nodes"]) - {table}
    return is_slices(find(graph, table)) and (not others or others <= ancestors(graph, table))


def _meta(node: Node) -> Mapping[str, Any]:
    return (node.get("config") or {}).get("meta") or {}


def slices_below(graph: Node, node: Node) -> list[str]:
    """The tables of slices that a node reads, directly or through what is made of them for all ds."""
    found: dict[str, None] = {}
    # A `_latest` view is the newest slice, whichever that is: nothing to wait for.
    if is_latest(node):
        return []
    for unique_id in (node.get("depends_on") or {}).get("nodes") or ():
        upstream = find(graph, unique_id)
        if is_slices(upstream):
            found[unique_id] = None
        elif upstream["resource_type"] in ("model", "snapshot"):
            found.update(dict.fromkeys(slices_below(graph, upstream)))
    return list(found)


def _recorded(graph: Node, node: Node, record: Mapping[str, Any]) -> tuple[Wait, bool] | None:
    """A wait that a macro left, and whether it is waited for; None for a plain ref of what has no slices."""
    name = record["table"]
    unique_id = None
    if name is not None:
        unique_id = read_by_name(graph, node, name, record.get("source"), record.get("package"), record.get("version"))
    macro = record.get("as")
    if unique_id is None and name is not None:
        raise UsageError(f"{node['original_file_path']}: {macro}('{name}') names no table of this project")
    wait = Wait(unique_id or node["unique_id"], int(record["offset"]), int(record["range"]), record.get("asof"))
    if record.get("this"):
        return replace(wait, upstream=node["unique_id"], follows=unique_id), True
    upstream = find(graph, wait.upstream)
    if not is_slices(upstream) and (upstream["resource_type"] != "source" or macro in OF_PUBLISHED):
        if macro == "slice" or macro in OF_PUBLISHED:
            kind = upstream["config"].get("materialized", upstream["resource_type"])
            raise UsageError(
                f"{node['original_file_path']}: {macro}('{name}') names a {kind}, not a table of slices: "
                f"use ref('{name}')"
            )
        if macro == "ref" or record.get("waited", True):
            return None
    return wait, record.get("waited", True)


def read_by_name(
    graph: Node, node: Node, name: str, source: str | None = None, package: str | None = None, version: Any = None
) -> str | None:
    """The unique_id of what a node reads as `ref(package, name, version)` or `source(source, name)`, or None."""
    for unique_id in (node.get("depends_on") or {}).get("nodes") or ():
        upstream = find(graph, unique_id)
        if upstream["name"] != name or upstream.get("source_name") != source:
            continue
        if package and upstream["package_name"] != package:
            continue
        known = upstream.get("version")
        wanted = upstream.get("latest_version") if version is None else version
        if known is None or wanted is None or str(known) == str(wanted):
            return str(unique_id)
    return None


def is_ds(partition_by: Any) -> bool:
    """Whether a `partition_by` means the ds: dbt's adapters take a name, a list of names, or a mapping with a field."""
    if isinstance(partition_by, Mapping):
        partition_by = partition_by.get("field")
    if isinstance(partition_by, list | tuple) and len(partition_by) == 1:
        partition_by = partition_by[0]
    return isinstance(partition_by, str) and partition_by.lower() == "ds"
