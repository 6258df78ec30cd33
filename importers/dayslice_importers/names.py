"""Names that every engine can hold: one fixed rule for what PostgreSQL allows and Hive does not.

A name of lower-case letters, digits and underscores stays. Any other is folded to lower case; if that is not enough,
what is left over becomes an underscore and six digits of the name's SHA-256 follow, so that two names never meet. `ds`
is Dayslice's own column. A name that was given once is kept, whatever columns come later.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping

from dayslice.engines.landed_csv import PADDING

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST = 63
OWN = ("ds", PADDING)


def engine_names(names: Iterable[str], kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """The engine's name of each column. `kept`: names given before, by source name; no other column gets them."""
    kept = kept or {}
    originals = list(names)
    found = {name: kept[name] for name in originals if name in kept}
    taken = {*OWN, *kept.values()}
    new = [name for name in originals if name not in found]
    for name in [each for each in new if PLAIN.fullmatch(each) and each not in taken]:
        found[name] = name
        taken.add(name)
    folds = [name.lower() for name in new if name not in found]
    for name in [each for each in new if each not in found]:
        fold = name.lower()
        plain = PLAIN.fullmatch(fold) and fold not in taken and folds.count(fold) == 1
        found[name] = fold if plain else _marked(name, taken)
        taken.add(found[name])
    return {name: found[name] for name in originals}


def _marked(name: str, taken: Collection[str]) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()
    # More digits in the nearly impossible case that somebody has named a column so.
    for length in range(6, len(digest)):
        stem = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[: LONGEST - length - 3]
        stem = stem if re.match(r"[a-z_]", stem) else f"c_{stem}".rstrip("_")
        if (marked := f"{stem}_{digest[:length]}") not in taken:
            return marked
    raise AssertionError("58 names of one digest")
