"""Erased persons: their hashes lie in the metastore, and imports and builds leave their rows out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from dayslice.engines.suppression_on_trino import OF_STATEMENTS
from dayslice.engines.target import Target, truth_beside
from dayslice.errors import Refused
from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.graph import TableNode
from dayslice.rules.keyed_hashes import KEY, hash_key, key_fingerprint, keyed_hash, statement_key
from dayslice.rules.persons import persons_of

Hashes = dict[str, frozenset[str]]
"""Of each kind of name, the hashes of those who are suppressed."""


@dataclass(frozen=True)
class LeftOut:
    """Of each column that names a person, in lower case, who is left out of a table."""

    columns: Hashes = field(default_factory=dict)
    length: int | None = None
    """How long the whole list was; None of a table that names nobody."""


def left_out(target: Target, node: TableNode) -> LeftOut:
    """Who is left out of a table that is made now. Raises UsageError without the secret that the list was made with."""
    if not persons_of(node.meta):
        return LeftOut()
    if target.database_file is None:
        with open_metastore(target) as catalog:
            return left_out_by(catalog, node)
    with SQLiteMetastore(truth_beside(target.database_file)) as metastore:
        return left_out_by(metastore, node)


def left_out_by(metastore: Metastore, node: TableNode) -> LeftOut:
    """See `left_out`."""
    persons = persons_of(node.meta) or {}
    if not persons:
        return LeftOut()
    known = read(metastore)
    columns = {column: known[kind] for column, kind in persons.items() if kind in known}
    return LeftOut(columns, sum(map(len, known.values())))


def read(metastore: Metastore) -> Hashes:
    """The whole list. Raises UsageError without the secret that it was made with."""
    rows = metastore.suppressed()
    if rows:
        check_key(metastore)
    found: dict[str, set[str]] = {}
    for kind, hash in rows:
        found.setdefault(kind, set()).add(hash)
    return {kind: frozenset(hashes) for kind, hashes in found.items()}


def hashes_of(target: Target, value: str) -> frozenset[str]:
    """All hashes that a person is looked for by: on Trino, whose statements others can read, one for these too."""
    own = keyed_hash(value.encode(), hash_key())
    if target.is_local:
        return frozenset({own})
    return frozenset({own, OF_STATEMENTS + keyed_hash(value.encode(), statement_key(hash_key()))})


def add(metastore: Metastore, target: Target, kind: str, hashes: frozenset[str]) -> None:
    """Suppress a person from now on."""
    check_key(metastore)
    now = datetime.now(UTC).isoformat()
    metastore.suppress(kind, sorted(hashes), key_fingerprint(), now, target.warehouse)


def check_key(metastore: Metastore) -> None:
    """Raises UsageError without the secret, Refused with another one: who is on the list would not be known."""
    hash_key()
    made_with = metastore.suppressed_by()
    if made_with and made_with != key_fingerprint():
        raise Refused(f"{KEY} is not the secret that the list of erased persons was made with: set the one that was")
