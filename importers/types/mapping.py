"""The type map: a source column's type to how it is carried, or a refusal by name."""

from collections.abc import Mapping

from dayslice.errors import UsageError
from importers.discovery import SourceColumn, SourceTable
from importers.types import datetime, numeric, text
from importers.types.carried import AS_TEXT, CarriedType

TYPES = {**numeric.TYPES, **datetime.TYPES, **text.TYPES}


def carried_type(column: SourceColumn, table: SourceTable, declared: Mapping[str, str]) -> CarriedType:
    """How a column is carried. `declared` is the YAML's `types:` (text, or decimal(p,s)), by source column.

    Raises UsageError for a type that cannot be carried without a choice.
    """
    choice = declared.get(column.name)
    if choice is not None:
        found = AS_TEXT if choice.strip().lower() == "text" else numeric.declared_decimal(choice)
        if found is None:
            raise UsageError(f"{table}: types: {column.name}: {choice!r} is no choice: write text or decimal(p,s)")
        return found
    if column.type == "numeric":
        found = numeric.decimal_type(column.precision, column.scale)
    elif column.is_composed:
        found = AS_TEXT
    else:
        found = TYPES.get(column.type)
    if found is None:
        advice = "text, or decimal(38,10) say," if column.type == "numeric" else "text"
        raise UsageError(
            f"{table}: column {column.name!r} is {column.declared}, which no engine's type holds exactly: choose "
            f"{advice} for it in the YAML (types: {{{column.name}: text}}), or leave it out (columns_without)"
        )
    return found
