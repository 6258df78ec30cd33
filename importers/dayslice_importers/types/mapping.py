"""The type map: a source column's type to how it is carried, or a refusal by name."""

from collections.abc import Mapping

from dayslice.errors import UsageError
from dayslice_importers.discovery import SourceColumn, SourceTable
from dayslice_importers.types import datetime, numeric, text
from dayslice_importers.types.carried import TEXT, CarriedType

TYPES = {**numeric.TYPES, **datetime.TYPES, **text.TYPES}


def carried_type(column: SourceColumn, table: SourceTable, declared: Mapping[str, str]) -> CarriedType:
    """How a column is carried. `declared` is the YAML's `types:` (text, or decimal(p,s)), by source column.

    Raises UsageError for a type that cannot be carried without a choice.
    """
    choice = declared.get(column.name)
    if choice is not None:
        return _chosen_type(column, table, str(choice))
    found: CarriedType | None
    if column.is_composed:
        found = TEXT
    elif column.type == "numeric":
        found = numeric.decimal_type(column.precision, column.scale)
    else:
        found = TYPES.get(column.type)
    if found is None:
        advice = "text, or decimal(38,10) say," if column.type == "numeric" else "text"
        raise UsageError(
            f"{table}: column {column.name!r} is {column.declared}, which no engine's type holds exactly: choose "
            f"{advice} for it in the YAML (types: {{{column.name}: text}}), or leave it out (columns_without)"
        )
    return found


def _chosen_type(column: SourceColumn, table: SourceTable, choice: str) -> CarriedType:
    if choice.strip().lower() == "text":
        return TEXT
    found = numeric.declared_decimal(choice)
    if found is None:
        raise UsageError(f"{table}: types: {column.name}: {choice!r} is no choice: write text or decimal(p,s), p to 38")
    if column.type not in ("numeric", "money", "int2", "int4", "int8", "oid"):
        raise UsageError(f"{table}: types: {column.name} is {column.declared}, no number of decimals: write text")
    return found
