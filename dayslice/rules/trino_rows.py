"""A row's values on Trino as one JSON array, whose hash tells which values belong together.

The hash that Trino has of a ROW, or of an ARRAY, is a sum of its fields' hashes by weight: summed over all rows, it is
the same for (1, a), (2, b) as for (1, b), (2, a).
"""

import re
from collections.abc import Mapping, Sequence

FINGERPRINTS = "trino checksum, rows by json"
"""The name of Trino's fingerprints, which are made with this."""
# What Trino casts to no JSON, wherever it stands in a type.
_NO_JSON = re.compile(r"\b(varbinary|char|uuid|ipaddress|time|time zone)\b", re.IGNORECASE)


def row_value(columns: Sequence[Mapping[str, str]]) -> str | None:
    """The SQL of a row's values; None where a column's type allows none."""
    values = [_value(column["name"], column["type"]) for column in columns]
    found = [each for each in values if each is not None]
    if not found or len(found) < len(values):
        return None
    return f"cast(array[{', '.join(found)}] as json)"


def _value(name: str, type: str) -> str | None:
    quoted = '"' + name.replace('"', '""') + '"'
    if re.fullmatch(r"char(\(\d+\))?", type, re.IGNORECASE):
        return f"cast(cast({quoted} as varchar) as json)"
    if type.lower() == "varbinary":
        return f"cast(to_hex({quoted}) as json)"
    return None if _NO_JSON.search(type) else f"cast({quoted} as json)"
