"""What changed in a source table since the version before: new columns pass, the rest needs a person's word."""

import re
from collections.abc import Sequence

from dayslice.errors import Refused
from dayslice.rules.slices import Slice
from dayslice_importers.declaration import Schema
from dayslice_importers.types.carried import HASHED, TEXT

# Of any length, these hold the same values.
PLAIN_TEXTS = ("text", "character varying")


def check_drift(slice: Slice, before: Schema, now: Schema, accept: bool) -> list[str]:
    """The names of new columns. Raises Refused for a column that is gone or has another type, unless accepted."""
    was = {column[0]: column for column in before}
    changed = []
    for column in now:
        name, source = column[0], column[1]
        if name not in was:
            continue
        if was[name][1] and not source:
            changed.append(f"{name} is gone")
        elif not _alike(was[name], column):
            changed.append(f"{name} was {_shown(was[name])} and is {_shown(column)}")
    added = [column[0] for column in now if column[1] and not (column[0] in was and was[column[0]][1])]
    if changed and not accept:
        new = f" (new: {', '.join(added)})" if added else ""
        raise Refused(
            f"{slice}: the source table changed since the slice before: {'; '.join(changed)}{new}; nothing was "
            "imported. If that is right, import it with --accept: older slices keep reading as they were"
        )
    return added if before else []


def _carried(column: Sequence[str]) -> tuple[str, ...]:
    """What makes two columns one. Many types are carried as text: of those it is the type, without its length."""
    _, _, declared, kind, decoding = column
    if (kind, decoding) != (TEXT.duckdb, TEXT.decoding.value):
        return kind, decoding
    bare = re.sub(r"\(\d+\)", "", declared)
    return kind, decoding, "text" if bare in PLAIN_TEXTS else bare


def _alike(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether two columns are one. A type that was named without its schema may be in any: a search_path said which."""
    was, is_now = _carried(before), _carried(now)
    if was == is_now or was[:2] != is_now[:2] or len(was) < 3 or len(is_now) < 3:
        return was == is_now
    schema, dot, name = is_now[2].rpartition(".")
    return bool(schema and dot) and was[2] == name


def _shown(column: Sequence[str]) -> str:
    _, _, declared, kind, decoding = column
    return f"{declared}, hashed" if (kind, decoding) == (HASHED.duckdb, HASHED.decoding.value) else declared
