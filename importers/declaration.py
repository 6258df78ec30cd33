"""An import as its YAML declares it, joined with what PostgreSQL says of the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dayslice.errors import UsageError
from dayslice.graph import TableNode
from importers.discovery import SourceColumn, SourceTable
from importers.names import engine_names
from importers.types.carried import CarriedType
from importers.types.mapping import carried_type


@dataclass(frozen=True)
class LandedColumn:
    """A column as it lands: its name in the engines, where it comes from, and how it is carried."""

    name: str
    source: SourceColumn
    carried: CarriedType

    def schema(self) -> list[str]:
        """What a receipt keeps of it: enough to read the files, and to see that it changed."""
        return [self.name, self.source.name, self.source.declared, self.carried.duckdb]


def source_place(node: TableNode) -> tuple[str, str]:
    """Schema and name of an import's table in PostgreSQL."""
    return str(node.meta.get("source_schema", "public")), str(node.meta.get("source_table", node.table.name))


def landed_columns(node: TableNode, table: SourceTable) -> list[LandedColumn]:
    """The columns that an import lands, in order. Raises UsageError for a wrong choice of columns or a type."""
    chosen = _chosen(node, table)
    names = engine_names(column.name for column in chosen)
    declared: Mapping[str, str] = node.meta.get("types") or {}
    _known(node, table, declared, "types")
    return [LandedColumn(names[c.name], c, carried_type(c, table, declared)) for c in chosen]


def _chosen(node: TableNode, table: SourceTable) -> list[SourceColumn]:
    only, without = node.meta.get("columns_only"), node.meta.get("columns_without") or []
    _known(node, table, only or [], "columns_only")
    _known(node, table, without, "columns_without")
    return [c for c in table.columns if (only is None or c.name in only) and c.name not in without]


def _known(node: TableNode, table: SourceTable, names: Any, key: str) -> None:
    known = [column.name for column in table.columns]
    for name in names:
        if name not in known:
            raise UsageError(f"{node.path}: {node}: {key}: {table} has no column {name!r}; it has {', '.join(known)}")
