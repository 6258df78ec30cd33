"""The YAML of a new import, with what PostgreSQL knows of the table: columns, types, comments and keys."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dayslice.errors import UsageError
from dayslice.rules.graph import TableNode
from dayslice_importers.declaration import landed_columns, source_place
from dayslice_importers.discovery import ForeignKey, SourceColumn, SourceTable, discover
from dayslice_importers.names import engine_names
from dayslice_importers.types.carried import CarriedType
from dayslice_importers.types.mapping import carried_type

_JINJA = re.compile(r"\{[{%#]")


@dataclass(frozen=True)
class Reference:
    """A foreign key whose other table is an import too: `to` as dbt has it, and the column's name here."""

    column: str
    to: str
    field: str


def references_of(
    session: Any, name: str, table: SourceTable, imports: Iterable[TableNode]
) -> tuple[list[Reference], list[ForeignKey]]:
    """The foreign keys of a table that can be tested, and the rest: to tables or columns that are not imported.

    `name` is the new import's, as in erp.orders; `imports` are the other ones of the same connection.
    """
    places = {source_place(node): node for node in imports}
    found, left = [], []
    for key in table.foreign_keys:
        place = key.schema, key.table
        if place == (table.schema, table.name):
            to, fields = name, engine_names(column.name for column in table.columns if column.readable)
        elif place in places:
            to, fields = places[place].name, _landed_names(session, places[place])
        else:
            to, fields = "", {}
        if key.field in fields:
            source, _, other = to.partition(".")
            found.append(Reference(key.column, f"source('{source}', '{other}')", fields[key.field]))
        else:
            left.append(key)
    return found, left


def _landed_names(session: Any, node: TableNode) -> dict[str, str]:
    try:
        columns = landed_columns(node, discover(session, *source_place(node)))
    except UsageError:  # its own import says so
        return {}
    return {column.source.name: column.name for column in columns if column.source}


def import_yaml(
    source: str,
    name: str,
    table: SourceTable,
    meta: Mapping[str, Any],
    own: Mapping[str, Any],
    references: Iterable[Reference] = (),
) -> str:
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
    entry["columns"] = [
        _column(
            column,
            names[column.name],
            _carried(column, table),
            [
                *(["unique"] if column.name in key else []),
                *(["not_null"] if column.not_null else []),
                *(_relationship(each) for each in references if each.column == column.name),
            ],
        )
        for column in readable
    ]
    document = {"sources": [{"name": source, "config": {"meta": dict(meta)}, "tables": [plain(entry)]}]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def plain(value: Any) -> Any:
    """The same, for dbt to read as it is written: comments and names of the source's may look like Jinja.

    What is Jinja on purpose, as `source('erp', 'orders')`, has no such braces.
    """
    if isinstance(value, str):
        return _JINJA.sub(lambda found: "{{ '" + found[0] + "' }}", value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _description(table: SourceTable, names: Mapping[str, str]) -> str:
    grain = ", ".join(names.get(column, column) for column in table.primary_key)
    said = " ".join((table.comment or "").split())
    one_row = f"One row per {grain}." if grain else "One row per row of the source, which has no primary key."
    return f"{said.rstrip('.')}. {one_row}" if said else one_row


def _relationship(reference: Reference) -> dict[str, Any]:
    # Only a warning: tables that are imported at different times are of different instants.
    arguments = {"to": reference.to, "field": reference.field}
    return {"relationships": {"arguments": arguments, "config": {"severity": "warn"}}}


def _column(column: SourceColumn, name: str, carried: CarriedType | None, tests: list[Any]) -> dict[str, Any]:
    said = " ".join((column.comment or "").split())
    renamed = f"{column.name} in the source." if name != column.name else ""
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
