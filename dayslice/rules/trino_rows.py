"""A row's values on Trino as bytes, whose hash tells which values belong together.

The hash that Trino has of a ROW, or of an ARRAY, is a sum of its fields' hashes by weight: summed over all rows, it is
the same for (1, a), (2, b) as for (1, b), (2, a). Text, as of JSON, takes twice as long to make.
"""

import re
from collections.abc import Mapping, Sequence

from dayslice.rules.diff_queries import quoted

FINGERPRINTS = "trino checksum, rows by bytes"
"""The name of Trino's fingerprints, which are made with this."""
# What Trino casts to no JSON, within an array, a map or a row.
_NO_JSON = re.compile(r"\b(varbinary|char|uuid|ipaddress|time|time zone)\b", re.IGNORECASE)
_NESTED = re.compile(r"(array|map|row|json)\b", re.IGNORECASE)
# Trino takes 127 arguments of a function; a number has 63 bits to say which values are null.
_AT_ONCE = 60
_FIXED = {
    "bigint": "to_big_endian_64({0})",
    "integer": "to_big_endian_32({0})",
    "int": "to_big_endian_32({0})",
    "smallint": "to_big_endian_32(cast({0} as integer))",
    "tinyint": "to_big_endian_32(cast({0} as integer))",
    "boolean": "to_big_endian_32(if({0}, 1, 0))",
    "double": "to_ieee754_64({0})",
    "real": "to_ieee754_32({0})",
    "date": "to_big_endian_32(cast(date_diff('day', date '1970-01-01', {0}) as integer))",
}


def row_value(columns: Sequence[Mapping[str, str]]) -> str | None:
    """The SQL of a row's values, as bytes that no other row has; None where a column's type allows none.

    First which of them are null, then each of the others: of fixed length by its type, or after its own length.
    """
    pairs = [(quoted(column["name"]), _value(quoted(column["name"]), column["type"])) for column in columns]
    known = [(name, value) for name, value in pairs if value]
    if not known or len(known) < len(pairs):
        return None
    chunks = [known[start : start + _AT_ONCE] for start in range(0, len(known), _AT_ONCE)]
    joined = [_joined([_nulls([name for name, _ in chunk]), *(value for _, value in chunk)]) for chunk in chunks]
    return joined[0] if len(joined) == 1 else _joined(joined)


def _joined(values: Sequence[str]) -> str:
    return f"concat({', '.join(values)})"


def _nulls(names: Sequence[str]) -> str:
    said = " + ".join(f"if({name} is null, bigint '{1 << place}', bigint '0')" for place, name in enumerate(names))
    return f"to_big_endian_64({said})"


def _value(name: str, type: str) -> str | None:
    kind = type.lower().strip()
    if kind in _FIXED:
        return f"coalesce({_FIXED[kind].format(name)}, x'')"
    if kind == "varbinary":
        return _with_length(name, name)
    if kind.startswith("varchar"):
        return _with_length(name, f"to_utf8({name})")
    if _NESTED.match(kind):
        if _NO_JSON.search(kind):
            return None
        name = f"json_format(cast({name} as json))"
    else:
        name = f"cast({name} as varchar)"
    return _with_length(name, f"to_utf8({name})")


def _with_length(value: str, encoded: str) -> str:
    return f"coalesce(to_big_endian_32(cast(length({value}) as integer)) || {encoded}, x'')"
