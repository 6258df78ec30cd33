"""Names that would meet in the engine, where each overwrites the other: two tables, or a table and another's view."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dayslice.errors import UsageError
from dayslice.rules.graph import Node, TableNode, is_import, table_of
from dayslice.rules.slices import Table

# What is made beside an import: the view of its newest slice, and on Trino the table of what landed.
BESIDE = ("_latest", "__landed")


@dataclass(frozen=True)
class Made:
    """A table or a view, what a person calls it, and the file that it comes from."""

    table: Table
    said: str
    owner: str
    file: str


def refuse_meetings(found: Iterable[Made]) -> None:
    """Raises UsageError with both names where two tables or views would be one. Engines fold cases: `r1` is `R1`."""
    seen: dict[tuple[str, str], Made] = {}
    for made in found:
        place = made.table.schema.lower(), made.table.name.lower()
        other = seen.setdefault(place, made)
        if other.owner != made.owner:
            raise UsageError(
                f"{made.file}: {made.said} and {other.said} ({other.file}) would both be {place[0]}.{place[1]}, one "
                "over the other: give one of them another name"
            )


def made_in(graph: Node) -> Iterator[Made]:
    """All that the nodes of a project make."""
    for node in (*graph["nodes"].values(), *graph["sources"].values()):
        if is_import(node):
            name = f"{node['source_name']}.{node['name']}"
            yield from _with_views(table_of(node), name, node["unique_id"], node["original_file_path"])
        elif node["resource_type"] in ("model", "seed", "snapshot") and node["config"]["materialized"] != "ephemeral":
            yield Made(table_of(node), node["name"], node["unique_id"], node["original_file_path"])


def made_by(tables: Iterable[TableNode]) -> Iterator[Made]:
    """All that tables of slices make."""
    for node in tables:
        if node.is_import:
            yield from _with_views(node.table, node.name, node.unique_id, node.path)
        else:
            yield Made(node.table, node.name, node.unique_id, node.path)


def _with_views(table: Table, name: str, owner: str, file: str) -> Iterator[Made]:
    yield Made(table, name, owner, file)
    for each in BESIDE:
        yield Made(Table(table.schema, table.name + each), f"{name}'s {table.name}{each}", owner, file)
