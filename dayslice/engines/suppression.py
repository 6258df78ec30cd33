"""Rows of erased persons, found in DuckDB by the keyed hashes of their names: no name is in any statement."""

from collections.abc import Collection, Mapping
from typing import Any

from dayslice.engines.landed_csv import literal, quoted
from dayslice.rules.keyed_hashes import pads

_INNER, _OUTER = "dayslice_hash_inner", "dayslice_hash_outer"


def know_key(connection: Any, key: bytes) -> None:
    """Let a connection make keyed hashes, by `names_one`. Not through dbt: what runs there is logged."""
    for name, pad in zip((_INNER, _OUTER), pads(key), strict=True):
        connection.execute(f"set variable {name} = unhex('{pad.hex()}')")


def names_one(columns: Mapping[str, Collection[str]]) -> str:
    """The condition that a row is of somebody: of each column, by the hashes of those who are looked for.

    Never null. A column that lands hashed has the hash itself.
    """
    parts = []
    for name, hashes in columns.items():
        value = f"cast({quoted(name)} as varchar)"
        known = ", ".join(map(literal, sorted(hashes)))
        # RFC 2104, by the one hash that the engine has.
        inner = f"unhex(sha256(getvariable('{_INNER}') || encode({value})))"
        hashed = f"sha256(getvariable('{_OUTER}') || {inner})"
        parts.append(f"coalesce({value} in ({known}) or {hashed} in ({known}), false)")
    return f"({' or '.join(parts)})"
