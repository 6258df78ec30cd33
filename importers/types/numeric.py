"""Integers, numeric, floats, money."""

import re

from importers.types.carried import CarriedType

TYPES = {
    "int2": CarriedType("smallint", "smallint"),
    "int4": CarriedType("integer", "integer"),
    "int8": CarriedType("bigint", "bigint"),
    "float4": CarriedType("real", "real"),
    "float8": CarriedType("double", "double"),
    "oid": CarriedType("bigint", "bigint"),
    "money": CarriedType("decimal(19,2)", "decimal(19,2)", source="{column}::numeric(19,2)"),
}
MOST_DIGITS = 38


def decimal_type(precision: int | None, scale: int) -> CarriedType | None:
    """numeric(precision, scale) as a decimal; None where no engine's decimal holds it."""
    if precision is None or scale < 0 or max(precision, scale) > MOST_DIGITS:
        return None
    return CarriedType(f"decimal({max(precision, scale)},{scale})", f"decimal({max(precision, scale)},{scale})")


def declared_decimal(text: str) -> CarriedType | None:
    """`decimal(38,10)` as the YAML declares it; None for what is no such type."""
    found = re.fullmatch(r"\s*decimal\((\d+)\s*,\s*(\d+)\)\s*", text, re.IGNORECASE)
    return decimal_type(int(found[1]), int(found[2])) if found else None
