"""Every path that a name becomes part of is made here, and holds no name that could leave the warehouse.

Names come from YAML and from sources: `../../x`, `/etc` and the like are refused wherever a table, a slice or a version
is named.
"""

import re
from functools import lru_cache

from dayslice.errors import UsageError

# Longer ones no file system takes.
LONGEST = 255
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f]")


def checked(name: str, what: str) -> str:
    """A name as one part of a path. Raises UsageError for one that is none, or more than one."""
    if not isinstance(name, str) or not _is_fine(name):
        raise UsageError(
            f"{what} {name!r} cannot be part of a path: no slashes, no control characters, not . or .., "
            f"{LONGEST} bytes at most"
        )
    return name


def joined(*names: str) -> str:
    """A relative path of names. Raises UsageError for one that is more than a name."""
    return "/".join(checked(name, "the name") for name in names)


@lru_cache(maxsize=4096)
def _is_fine(name: str) -> bool:
    """Asked of the same few names again and again, wherever many slices are looked at."""
    is_long = len(name.encode("utf-8", "surrogatepass")) > LONGEST
    return name not in ("", ".", "..") and not _FORBIDDEN.search(name) and not is_long
