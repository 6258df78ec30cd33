"""Which type takes every value of which other, so that a column may be stored as its YAML declares it. Pure."""

import re

# By how many decimal digits each whole-number type needs.
WHOLE = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "hugeint": 39}
# Whole numbers up to so many digits are exact in these.
EXACT_DIGITS = {"real": 7, "float": 7, "double": 15}
TYPE = re.compile(r"([a-z ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")


def widens(selected: str, declared: str) -> bool:
    """Whether every value of type `selected` is one of type `declared`, unchanged."""
    old, new = _parts(selected), _parts(declared)
    if old is None or new is None:
        return False
    (was, size, scale), (now, new_size, new_scale) = old, new
    if was in WHOLE and now in WHOLE:
        return WHOLE[was] <= WHOLE[now]
    if now == "decimal":
        digits, places = (WHOLE[was], 0) if was in WHOLE else (size - scale, scale) if was == "decimal" else (99, 0)
        return new_scale >= places and new_size - new_scale >= digits
    if now in EXACT_DIGITS:
        return WHOLE.get(was, 99) < EXACT_DIGITS[now] or (was in ("real", "float") and now == "double")
    if was == now == "varchar":
        return not new_size or bool(size and size <= new_size)
    return was == "date" and now == "timestamp"


def _parts(type_: str) -> tuple[str, int, int] | None:
    found = TYPE.fullmatch(type_.strip().lower())
    if found is None:
        return None
    return found[1], int(found[2] or 0), int(found[3] or 0)
