"""The YAML of a new import, with what PostgreSQL knows of the table: columns, types, comments and keys."""

from collections.abc import Mapping
from typing import Any

import yaml

from dayslice.errors import UsageError
from importers.discovery import SourceColumn, SourceTable
from importers.names import engine_names
from importers.types.carried import CarriedType
from importers.types.mapping import carried_type


def import_yaml(source: str, name: str, table: SourceTable, meta: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """A sources file of one table. `meta` is the source's, `own` the table's; types that need a choice get `text`."""
    readable = [column for column in table.columns if column.readable]
    names = engine_names(column.name for column in readable)
    chosen = {column.name: "text" for column in readable if _carried(column, table) is None}
    barred = [column.name for column in table.columns if not column.readable]
    own = {**own, **({"types": chosen} if chosen else {}), **({"columns_without": barred} if barred else {})}
    entry: dict[str, Any] = {"name": name, "description": _description(table, names)}
    if own:
        entry["config"] = {"meta": own}
    key = table.primary_key if len(table.primary_key) == 1 else ()
    entry["columns"] = [_column(column, names[column.name], _carried(column, table), key) for column in readable]
    document = {"sources": [{"name": source, "config": {"meta": dict(meta)}, "tables": [entry]}]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _description(table: SourceTable, names: Mapping[str, str]) -> str:
    grain = ", ".join(names.get(column, column) for column in table.primary_key)
    said = " ".join((table.comment or "").split())
    one_row = f"One row per {grain}." if grain else "One row per row of the source, which has no primary key."
    return f"{said.rstrip('.')}. {one_row}" if said else one_row


def _column(column: SourceColumn, name: str, carried: CarriedType | None, key: tuple[str, ...]) -> dict[str, Any]:
    said = " ".join((column.comment or "").split())
    renamed = f"{column.name} in the source." if name != column.name else ""
    tests = [*(["unique"] if column.name in key else []), *(["not_null"] if column.not_null else [])]
    found: dict[str, Any] = {"name": name}
    if said or renamed:
        found["description"] = f"{said} {renamed}".strip()
    found["data_type"] = carried.duckdb if carried else "varchar"
    if tests:
        found["data_tests"] = tests
    return found


def _carried(column: SourceColumn, table: SourceTable) -> CarriedType | None:
    try:
        return carried_type(column, table, {})
    except UsageError:  # it needs a choice, and text loses nothing
        return None
