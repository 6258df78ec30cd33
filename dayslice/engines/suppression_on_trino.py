"""Rows of erased persons, found on Trino by keyed hashes.

Trino keeps what it runs, for others to read, and knows no variables. So its statements have a key of their own, which
is made from the secret and tells nothing of hashed columns; and what is logged here has a word in its place.
"""

import re
from collections.abc import Collection, Mapping

from dayslice.engines.landed_csv import literal, quoted
from dayslice.errors import UsageError
from dayslice.rules.keyed_hashes import hash_key, statement_key

OF_STATEMENTS = "~"
"""What the hashes by that key begin with, on a list that has those by the secret itself too."""
_KEY = "dayslice: the key of erased persons"
_COMPARED = re.compile(r"(varchar|char|tinyint|smallint|integer|bigint|decimal|uuid|date|boolean)\b", re.IGNORECASE)
_PADDED = re.compile(r"char\b", re.IGNORECASE)


def names_one(columns: Mapping[str, Collection[str]], types: Mapping[str, str]) -> str:
    """The condition that a row is of somebody: of each column, by the hashes of those who are looked for.

    Never null. `types` by the columns' names. To be run by `with_key`. Raises UsageError for a type whose values are
    not texts.
    """
    parts = []
    for name, hashes in columns.items():
        value = _text(name, types[name])
        own = sorted(each for each in hashes if not each.startswith(OF_STATEMENTS))
        ours = sorted(each.removeprefix(OF_STATEMENTS) for each in hashes if each.startswith(OF_STATEMENTS))
        hashed = f"lower(to_hex(hmac_sha256(to_utf8({value}), from_hex('{_KEY}'))))"
        found = [f"{what} in ({', '.join(map(literal, of))})" for what, of in ((value, own), (hashed, ours)) if of]
        parts.append(f"coalesce({' or '.join(found)}, false)")
    return f"({' or '.join(parts)})"


def with_key(sql: str) -> str:
    """A statement as it is run. Raises UsageError where it needs the secret, and there is none."""
    return sql.replace(_KEY, statement_key(hash_key()).hex()) if _KEY in sql else sql


def _text(name: str, type: str) -> str:
    if not _COMPARED.match(type):
        raise UsageError(
            f"column {name} is {type}: one that names a person must be a text or a whole number, or nobody is found "
            "by it"
        )
    text = f"cast({quoted(name)} as varchar)"
    # As its padding is no part of a name.
    return f"rtrim({text})" if _PADDED.match(type) else text
