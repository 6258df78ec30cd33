"""Erased persons: their hashes lie in the metastore, and imports and builds leave their rows out."""

from datetime import UTC, datetime

from dayslice.engines.target import Target, truth_beside
from dayslice.errors import Refused
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.graph import TableNode
from dayslice.rules.keyed_hashes import KEY, hash_key, key_fingerprint
from dayslice.rules.persons import persons_of

Hashes = dict[str, frozenset[str]]
"""Of each kind of name, the hashes of those who are suppressed."""


def suppressed_of(target: Target, node: TableNode) -> Hashes:
    """Of each column that names a person, in lower case, who is left out of a table; {} on an engine without a list.

    Raises UsageError without the secret that the list was made with.
    """
    if target.database_file is None or not persons_of(node.meta):
        return {}
    with SQLiteMetastore(truth_beside(target.database_file)) as metastore:
        return columns_suppressed(metastore, node)


def columns_suppressed(metastore: SQLiteMetastore, node: TableNode) -> Hashes:
    """See `suppressed_of`."""
    persons = persons_of(node.meta) or {}
    if not persons:
        return {}
    known = read(metastore)
    return {column: known[kind] for column, kind in persons.items() if kind in known}


def read(metastore: SQLiteMetastore) -> Hashes:
    """The whole list. Raises UsageError without the secret that it was made with."""
    rows = metastore.suppressed()
    if rows:
        check_key(metastore)
    found: dict[str, set[str]] = {}
    for kind, hash in rows:
        found.setdefault(kind, set()).add(hash)
    return {kind: frozenset(hashes) for kind, hashes in found.items()}


def add(metastore: SQLiteMetastore, kind: str, hash: str) -> None:
    """Suppress a person from now on."""
    check_key(metastore)
    metastore.suppress(kind, hash, key_fingerprint(), datetime.now(UTC).isoformat())


def check_key(metastore: SQLiteMetastore) -> None:
    """Raises UsageError without the secret, Refused with another one: who is on the list would not be known."""
    hash_key()
    made_with = metastore.suppressed_by()
    if made_with and made_with != key_fingerprint():
        raise Refused(f"{KEY} is not the secret that the list of erased persons was made with: set the one that was")
