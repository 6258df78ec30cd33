"""Personal columns as keyed hashes: HMAC-SHA256 of the value's text, made here, so that neither the value lands nor the
key is seen by the source's logs."""

import re
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

from dayslice.errors import Refused
from dayslice.rules.keyed_hashes import KEY, key_fingerprint, keyed_hash
from dayslice.rules.slices import Slice

NULL = b"\\N"
ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def check_key(slice: Slice, before: str | None, accept: bool) -> None:
    """Refuse another secret than that of the version before: one person would have two hashes. Raises Refused."""
    if before and not accept and before != key_fingerprint():
        raise Refused(
            f"{slice}: {KEY} is not the secret that the slice before was hashed with, so that one value would have two "
            "hashes, and joins over slices would break; nothing was imported. Set the one that was, or import with "
            "--accept from now on"
        )


def hashed(value: bytes, key: bytes) -> bytes:
    """The hash of a value as COPY's text format has it: of its own text, in UTF-8."""
    return keyed_hash(unescaped(value), key).encode()


def unescaped(value: bytes) -> bytes:
    """A value's own text, from COPY's text format."""
    if b"\\" not in value:
        return value
    return re.sub(rb"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), value, flags=re.DOTALL)


class HashingWriter:
    """Takes COPY's rows, whole rows in each write, and hands them on with some of their fields hashed."""

    def __init__(self, out: BinaryIO, positions: Collection[int], key: bytes):
        self.out = out
        self.positions = tuple(positions)
        self.key = key

    def write(self, rows: Any) -> int:
        """Some rows, each with its newline."""
        data = bytes(rows)
        self.out.write(b"".join(self._hashed(row) for row in data.split(b"\n")[:-1]))
        return len(data)

    def _hashed(self, row: bytes) -> bytes:
        fields = row.split(b"\t")
        for position in self.positions:
            if fields[position] != NULL:
                fields[position] = hashed(fields[position], self.key)
        return b"\t".join(fields) + b"\n"


class SuppressingWriter:
    """Takes COPY's rows, whole rows in each write, and hands on those that are of nobody who is suppressed.

    `positions`: the hashes of those who are, for each field that may name one; a field that lands hashed is compared as
    it is, so this comes after `HashingWriter`.
    """

    def __init__(self, out: Any, positions: Mapping[int, Collection[str]], key: bytes):
        self.out = out
        self.positions = {each: {hash.encode() for hash in hashes} for each, hashes in positions.items()}
        self.key = key
        self.dropped = 0

    def write(self, rows: Any) -> int:
        """Some rows, each with its newline."""
        data = bytes(rows)
        lines = data.split(b"\n")[:-1]
        kept = [line for line in lines if not self._names_one(line)]
        self.dropped += len(lines) - len(kept)
        if kept:
            self.out.write(b"\n".join(kept) + b"\n")
        return len(data)

    def _names_one(self, row: bytes) -> bool:
        fields = row.split(b"\t")
        return any(
            fields[each] != NULL and (fields[each] in hashes or hashed(fields[each], self.key) in hashes)
            for each, hashes in self.positions.items()
        )
