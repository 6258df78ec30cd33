"""Who may read files with data: whoever writes them, and a group where that is asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dayslice.errors import UsageError

VARIABLE = "DAYSLICE_FILES_FOR"
UMASKS = {"user": 0o077, "group": 0o027, "all": 0o022}


def keep_private() -> int:
    """From now on this process makes files for its user, or as DAYSLICE_FILES_FOR says; gives the umask before."""
    wanted = os.environ.get(VARIABLE) or "user"
    if wanted not in UMASKS:
        raise UsageError(f"{VARIABLE}: {wanted!r} is not known: write {', '.join(UMASKS)}")
    return os.umask(UMASKS[wanted])


@contextmanager
def private_files() -> Iterator[None]:
    """The same, for a while."""
    before = keep_private()
    try:
        yield
    finally:
        os.umask(before)
