"""Names that every engine can hold: one fixed rule for what PostgreSQL allows and Hive does not.

A name of lower-case letters, digits and underscores stays. Any other is folded to lower case; if that is not enough,
what is left over becomes an underscore and six digits of the name's SHA-256 follow, so that two names never meet. `ds`
is Dayslice's own column.
"""

import hashlib
import re
from collections.abc import Iterable

from dayslice.errors import UsageError

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST = 63


def engine_name(name: str, taken: Iterable[str] = ()) -> str:
    """The name of a column or a table in the engines. `taken` are the plain names beside it."""
    if PLAIN.fullmatch(name) and name != "ds":
        return name
    folded = name.lower()
    if PLAIN.fullmatch(folded) and folded != "ds" and folded not in taken:
        return folded
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    stem = re.sub(r"[^a-z0-9_]+", "_", folded).strip("_")[: LONGEST - 8]
    return f"{stem}_{digest}" if re.match(r"[a-z_]", stem) else f"c_{stem}_{digest}".replace("__", "_")


def engine_names(names: Iterable[str]) -> dict[str, str]:
    """The engine's name of each column. Raises UsageError in the practically impossible case that two meet."""
    originals = list(names)
    plain = [name for name in originals if PLAIN.fullmatch(name)]
    folds = [name.lower() for name in originals if not PLAIN.fullmatch(name)]
    taken = {*plain, *(fold for fold in folds if folds.count(fold) > 1)}
    found = {name: engine_name(name, taken) for name in originals}
    if len(set(found.values())) < len(found):
        raise UsageError(f"two columns would get one name: {', '.join(found)}; exclude one with columns_without")
    return found
