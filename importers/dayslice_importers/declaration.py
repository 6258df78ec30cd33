"""An import as its YAML declares it, joined with what PostgreSQL says of the table and what the last version had."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.decoding import Decoding
from dayslice.rules.graph import TableNode
from dayslice_importers.discovery import SourceColumn, SourceTable
from dayslice_importers.names import engine_names
from dayslice_importers.types.carried import HASHED, CarriedType
from dayslice_importers.types.mapping import carried_type

# A column as a receipt keeps it: name, name in the source ('' when it is gone), type there, type here, decoding.
Schema = Sequence[Sequence[str]]


@dataclass(frozen=True)
class LandedColumn:
    """A column as it lands. `source` is None for one that is gone: it lands as NULL, in its place, and `was` is what it
    was called in the source."""

    name: str
    source: SourceColumn | None
    declared: str
    carried: CarriedType
    was: str = ""

    @property
    def is_hashed(self) -> bool:
        """Whether a keyed hash lands instead of the value."""
        return self.carried is HASHED

    def schema(self) -> list[str]:
        """What a receipt keeps of it: enough to read the files, and to see that it changed."""
        source = self.source.name if self.source else ""
        return [self.name, source, self.declared, self.carried.duckdb, self.carried.decoding.value]


def source_place(node: TableNode) -> tuple[str, str]:
    """Schema and name of an import's table in PostgreSQL."""
    return str(node.meta.get("source_schema", "public")), str(node.meta.get("source_table", node.table.name))


def landed_columns(
    node: TableNode, table: SourceTable, before: Schema = (), gone: Mapping[str, str] | None = None
) -> list[LandedColumn]:
    """The columns that an import lands. Those of the version `before` keep their places, new ones come last: a
    reader by position, as Hive is, reads old files and new ones alike. `gone`: what columns that were gone already were
    called in the source, by name; no other column of the source takes their names over.

    Raises UsageError for a wrong choice of columns, a type, or a column without the right to read it.
    """
    chosen = _chosen(node, table)
    gone = gone or {}
    owners = {column[0]: column[1] or gone.get(column[0], "") for column in before}
    names = engine_names((c.name for c in chosen), {source: name for name, source in owners.items() if source})
    declared: Mapping[str, str] = node.meta.get("types") or {}
    hashed = node.meta.get("hashed") or []
    _known(node, table, declared, "types")
    _known(node, table, hashed, "hashed")
    now = {
        names[c.name]: LandedColumn(
            names[c.name], c, c.declared, HASHED if c.name in hashed else carried_type(c, table, declared)
        )
        for c in chosen
    }
    order = {column[0]: _gone(column, owners[column[0]]) for column in before} | now
    if not order:
        raise UsageError(f"{node.path}: {node}: {table} has no columns to import")
    return list(order.values())


def _gone(column: Sequence[str], was: str) -> LandedColumn:
    name, _, declared, duckdb, decoding = column
    return LandedColumn(name, None, declared, CarriedType(duckdb, duckdb, Decoding(decoding)), was)


def _chosen(node: TableNode, table: SourceTable) -> list[SourceColumn]:
    only, without = node.meta.get("columns_only"), node.meta.get("columns_without") or []
    _known(node, table, only or [], "columns_only")
    _known(node, table, without, "columns_without")
    chosen = [c for c in table.columns if (only is None or c.name in only) and c.name not in without]
    if barred := [c.name for c in chosen if not c.readable]:
        raise UsageError(
            f"{node}: no right to read {', '.join(barred)} of {table}: grant select on it to the connection's user, or "
            f"leave it out in {node.path} (columns_without)"
        )
    return chosen


def _known(node: TableNode, table: SourceTable, names: Iterable[Any], key: str) -> None:
    if isinstance(names, str):
        raise UsageError(f"{node.path}: {node}: {key}: {names!r} is no list: write [{names}]")
    known = [column.name for column in table.columns]
    for name in names:
        if name not in known:
            raise UsageError(f"{node.path}: {node}: {key}: {table} has no column {name!r}; it has {', '.join(known)}")
