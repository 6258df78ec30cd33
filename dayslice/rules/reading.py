"""What a plain `ref` or `source` means to the node that reads it: this run's slice, or the whole table. Pure.

A table of slices, a snapshot, a test, and SQL that a person asks with a ds read this run's slice. A view or a `table`
has no ds, so to it a table is all of its slices. An ephemeral model is a part of what reads it, and means what that
means.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.graph import ALL_SLICES, Node, find, is_latest, is_slices, slices_below

# Made once for all ds.
WITHOUT_DS = ("view", "materialized_view", "table")
MACROS_OF_A_DS = {f"macro.dbt_dayslice.{name}": f"{name}()" for name in ("ds", "slice", "asof", "history")}


def reads_this_run(graph: Node, node: Node) -> bool:
    """Whether a plain ref in this node means this run's slice."""
    kind = node["resource_type"]
    if kind == "test":
        return (node["config"].get("meta") or {}).get("slices") != ALL_SLICES
    if is_ephemeral(node):
        readers = list(_readers(graph, node["unique_id"]))
        return not readers or any(reads_this_run(graph, each) for each in readers)
    return kind in ("snapshot", "sql_operation") or (kind == "model" and is_slices(node))


def check_readers(graph: Node) -> None:
    """Refuse what would give every ds the rows of the first: `ds()` or `slice()` in what is made once for all ds."""
    for node in graph["nodes"].values():
        if is_ephemeral(node):
            _check_ephemeral(graph, node)
        elif node["resource_type"] == "model" and node["config"]["materialized"] in WITHOUT_DS and not is_latest(node):
            for part in (node, *_ephemeral_parts(graph, node)):
                check_macros(part, node)


def check_macros(part: Node, node: Node) -> None:
    """Refuse macros of a ds in a node that has none; `part`: itself, or an ephemeral model in it."""
    for macro in (part.get("depends_on") or {}).get("macros") or ():
        if macro in MACROS_OF_A_DS:
            raise UsageError(without_ds(part, node, MACROS_OF_A_DS[macro]))


def without_ds(part: Node, node: Node, macro: str) -> str:
    """Why a macro of a ds cannot stand in a view or a table, and what to write instead."""
    kind = node["config"]["materialized"]
    where = f"{part['original_file_path']}: {macro}"
    if part is not node and part["unique_id"] != node["unique_id"]:
        where += f", which {node['name']} reads,"
    return (
        f"{where} cannot stand in a {kind}, which is made once for all ds: write ref('…') for all slices, with ds "
        f"among the columns, or make {node['name']} ephemeral: {{{{ config(materialized='ephemeral') }}}}"
    )


def is_ephemeral(node: Node) -> bool:
    """Whether a node is no relation of its own, but a part of those that read it."""
    return bool(node["resource_type"] == "model" and node["config"]["materialized"] == "ephemeral")


def _check_ephemeral(graph: Node, node: Node) -> None:
    readers = list(_readers(graph, node["unique_id"]))
    of_a_slice = [each for each in readers if reads_this_run(graph, each)]
    of_all = [each for each in readers if not reads_this_run(graph, each)]
    if of_a_slice and of_all and slices_below(graph, node):
        raise UsageError(
            f"{node['original_file_path']}: {node['name']} is ephemeral, and read by {of_a_slice[0]['name']}, a table "
            f"of slices, and by {of_all[0]['name']}, which has no ds: a ref in it cannot mean this run's slice and all "
            f"slices at once. Make two models of it"
        )


def _readers(graph: Node, unique_id: str) -> Iterator[Mapping[str, Any]]:
    for node in graph["nodes"].values():
        if node["resource_type"] in ("model", "snapshot") and unique_id in node["depends_on"]["nodes"]:
            yield node


def _ephemeral_parts(graph: Node, node: Node) -> Iterator[Node]:
    for unique_id in node["depends_on"]["nodes"]:
        upstream = find(graph, unique_id)
        if is_ephemeral(upstream):
            yield upstream
            yield from _ephemeral_parts(graph, upstream)
