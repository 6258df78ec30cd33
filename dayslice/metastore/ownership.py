"""Whose a warehouse is: a mark beside its tables names the metastore that writes and cleans there."""

from dayslice.errors import UsageError
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
    if found is None:
        write_mark(owner, warehouse)
    elif found != owner:
        raise UsageError(
            f"{warehouse} belongs to another home: its mark {MARK} has {found}, and {metastore.file} is {owner}. Set "
            f"DAYSLICE_HOME to that home, or DAYSLICE_WAREHOUSE to a place of this one's own; if the other one is gone "
            f"for good: dayslice adopt"
        )
    _checked.add((warehouse, owner))


def write_mark(owner: str, warehouse: str) -> None:
    """Leave the mark, or replace it."""
    store = open_store(warehouse)
    store.remove(MARK)
    mark = store.create(MARK)
    mark.write(owner.encode())
    mark.close()


def adopt(metastore: SQLiteMetastore, warehouse: str) -> str | None:
    """Make this metastore the owner of a warehouse, on purpose; whose it was."""
    before = _read(warehouse)
    write_mark(metastore.owner(), warehouse)
    return before


def _read(warehouse: str) -> str | None:
    found = open_store(warehouse).read(MARK)
    return None if found is None else found.decode().strip()
