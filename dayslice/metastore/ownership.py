"""Whose a warehouse is: a mark beside its tables names the metastore that writes and cleans there."""

from dayslice.errors import Refused, UsageError
from dayslice.metastore.integrity import problems
from dayslice.metastore.places import moved
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.store.choice import open_store

MARK = "_dayslice_owner"

_checked: set[tuple[str, str]] = set()


def check_owner(metastore: SQLiteMetastore, warehouse: str) -> None:
    """Refuse to write or clean where another metastore does. The first one to write leaves its mark."""
    owner = metastore.owner()
    if (warehouse, owner) in _checked:
        return
    found = _read(warehouse)
    if not found:
        # Of two that begin at once, whether they are of one home or of two, the first one's mark stands.
        open_store(warehouse).put(MARK, owner.encode(), replace=found is not None)
        found = _read(warehouse)
    if found != owner:
        raise UsageError(
            f"{warehouse} belongs to another home: its mark {MARK} has {found}, and {metastore.file} is {owner}. Set "
            f"DAYSLICE_HOME to that home, or DAYSLICE_WAREHOUSE to a place of this one's own; if the other one is gone "
            f"for good: dayslice adopt"
        )
    _checked.add((warehouse, owner))


def write_mark(owner: str, warehouse: str) -> None:
    """Leave the mark, or replace it."""
    open_store(warehouse).put(MARK, owner.encode(), replace=True)


def adopt(metastore: SQLiteMetastore, warehouse: str) -> str | None:
    """Make this metastore the owner of a warehouse, on purpose; whose it was."""
    before = _read(warehouse)
    write_mark(metastore.owner(), warehouse)
    return before


def take_places(metastore: SQLiteMetastore, warehouse: str) -> int:
    """Record that what was written elsewhere lies in this warehouse, which was moved; how many versions that were.

    Raises Refused where the files of one are not here: then nothing was changed.
    """
    here = [found for version in metastore.all_versions() if (found := moved(version, warehouse))]
    for version in here:
        for problem in problems(version):
            raise Refused(
                f"{version.slice}: version {version.id} was written to another place, and is not in {warehouse}: "
                f"{problem}. Nothing was changed: bring the files here first (cp -a, aws s3 sync), or set "
                "DAYSLICE_WAREHOUSE to where they are"
            )
    metastore.relocate(here)
    return len(here)


def _read(warehouse: str) -> str | None:
    found = open_store(warehouse).read(MARK)
    return None if found is None else found.decode().strip()
