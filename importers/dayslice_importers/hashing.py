"""Personal columns as keyed hashes: HMAC-SHA256 of the value's text, made here, so that neither the value lands nor the
key is seen by the source's logs."""

import hashlib
import hmac
import os
import re
from collections.abc import Collection
from typing import Any, BinaryIO

from dayslice.errors import Refused, UsageError
from dayslice.rules.slices import Slice

KEY = "DAYSLICE_HASH_KEY"
NULL = b"\\N"
ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def hash_key() -> bytes:
    """The secret from the environment. Raises UsageError without one: an unkeyed hash of a name is soon guessed."""
    key = os.environ.get(KEY, "")
    if len(key) < 16:
        raise UsageError(f"hashed columns need a secret of 16 characters or more in {KEY}; keep it, or joins break")
    return key.encode()


def key_fingerprint() -> str:
    """What tells the secret from another one, and does not give it away."""
    return hmac.new(hash_key(), b"dayslice: which key", hashlib.sha256).hexdigest()[:16]


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
    if b"\\" in value:
        value = re.sub(rb"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), value, flags=re.DOTALL)
    return hmac.new(key, value, hashlib.sha256).hexdigest().encode()


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
