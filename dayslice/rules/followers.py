"""Models that follow tables of slices: views, tables, snapshots, other strategies, where no table of slices reads them.

What such a model holds is made of all slices, so it is made again after them: once at a run's end, or for each ds where
its own rows are kept (an incremental model, a snapshot). What a table of slices reads is made before it instead. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dayslice.rules.graph import Node, find, is_latest, is_slices
from dayslice.rules.reading import is_ephemeral


@dataclass(frozen=True)
class Follower:
    """A model that follows tables of slices. `kind`: its materialization, in dbt's word."""

    unique_id: str
    name: str
    kind: str
    reads: tuple[str, ...]
    """The tables of slices beneath it, by unique_id, those behind a `_latest` view among them."""
    place: tuple[str, str] = ("", "")
    """Its schema and its name there."""

    @property
    def is_of_each_ds(self) -> bool:
        """Whether it keeps rows of earlier runs, so that each ds has to be given to it."""
        return self.kind in ("incremental", "snapshot")

    @property
    def holds_rows(self) -> bool:
        """Whether it is older than what it reads until it is made again; a view never is."""
        return self.kind != "view"

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Follower":
        """The inverse of `as_json`."""
        return cls(**{**content, "reads": tuple(content["reads"]), "place": tuple(content["place"])})


def followers_of(graph: Node) -> dict[str, Follower]:
    """All followers of a project by unique_id, each after those that it reads."""
    between = _read_by_slices(graph)
    found: dict[str, Follower] = {}
    reads: dict[str, tuple[str, ...]] = {}

    def visit(unique_id: str) -> tuple[str, ...]:
        """The tables of slices at or beneath a node."""
        if unique_id not in reads:
            node = find(graph, unique_id)
            if is_slices(node):
                return (unique_id,)
            below = [visit(each) for each in (node.get("depends_on") or {}).get("nodes") or ()]
            read = tuple(dict.fromkeys(table for tables in below for table in tables))
            reads[unique_id] = read
            if read and unique_id not in between and _is_made(node):
                kind = node["config"].get("materialized") or node["resource_type"]
                # Its own place, also where dbt's defer lets others read production's.
                place = (node.get("schema", ""), node.get("alias") or node["name"])
                found[unique_id] = Follower(unique_id, node["name"], kind, read, place)
        return reads[unique_id]

    for unique_id, node in graph["nodes"].items():
        if node["resource_type"] in ("model", "snapshot"):
            visit(unique_id)
    return found


def made_with(followers: Iterable[Follower], tables: Iterable[str]) -> list[Follower]:
    """Those that read one of these tables."""
    made = set(tables)
    return [each for each in followers if made & set(each.reads)]


def _is_made(node: Node) -> bool:
    """Whether a node is a relation of its own, and no part of a table of slices."""
    return not (is_ephemeral(node) or is_latest(node))


def _read_by_slices(graph: Node) -> set[str]:
    """What tables of slices read, directly or not, that is none itself."""
    found: set[str] = set()
    todo = [
        each
        for node in graph["nodes"].values()
        if is_slices(node)
        for each in (node.get("depends_on") or {}).get("nodes") or ()
    ]
    while todo:
        unique_id = todo.pop()
        node = find(graph, unique_id)
        if unique_id in found or is_slices(node):
            continue
        found.add(unique_id)
        todo += (node.get("depends_on") or {}).get("nodes") or ()
    return found
