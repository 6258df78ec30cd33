"""Integers, numeric, floats, money."""

import re

from dayslice_importers.types.carried import CarriedType

MOST_DIGITS = 38
# What does not fit ends the COPY: PostgreSQL cannot cast the sentence to a number, and shows it.
EXACTLY = (
    "case when round({column}::numeric, %(scale)d) = {column}::numeric then {column}::numeric "
    "else ({name} || ' has ' || {column}::numeric || ', which is no %(type)s')::numeric end"
)
NOT_EXACT = "which is no decimal"


def exact_decimal(precision: int, scale: int) -> CarriedType:
    """A decimal for values whose type does not promise that they fit: one with more decimals stops the import."""
    kind = f"decimal({precision},{scale})"
    return CarriedType(kind, kind, source=EXACTLY % {"scale": scale, "type": kind})


def decimal_type(precision: int | None, scale: int) -> CarriedType | None:
    """numeric(precision, scale) as a decimal; None where no engine's decimal holds it."""
    if precision is None:
        return None
    digits = precision - scale if scale < 0 else max(precision, scale)
    if digits > MOST_DIGITS:
        return None
    kind = f"decimal({digits},{max(scale, 0)})"
    return CarriedType(kind, kind)


def declared_decimal(text: str) -> CarriedType | None:
    """`decimal(38,10)` as the YAML declares it; None for what is no such type."""
    found = re.fullmatch(r"\s*decimal\((\d+)\s*,\s*(\d+)\)\s*", text, re.IGNORECASE)
    if found is None or not 0 < int(found[1]) <= MOST_DIGITS or int(found[2]) > int(found[1]):
        return None
    return exact_decimal(int(found[1]), int(found[2]))


TYPES = {
    "int2": CarriedType("smallint", "smallint"),
    "int4": CarriedType("integer", "integer"),
    "int8": CarriedType("bigint", "bigint"),
    "float4": CarriedType("real", "real"),
    "float8": CarriedType("double", "double"),
    "oid": CarriedType("bigint", "bigint"),
    # Its decimals are lc_monetary's: two nearly everywhere.
    "money": exact_decimal(19, 2),
}
