"""Keyed hashes of personal values: HMAC-SHA256 with a secret, so that nobody without it can tell whose they are."""

import hashlib
import hmac
import os

from dayslice.errors import UsageError

KEY = "DAYSLICE_HASH_KEY"


def hash_key() -> bytes:
    """The secret from the environment. Raises UsageError without one: an unkeyed hash of a name is soon guessed."""
    key = os.environ.get(KEY, "")
    if len(key) < 16:
        raise UsageError(f"hashed columns need a secret of 16 characters or more in {KEY}; keep it, or joins break")
    return key.encode()


def key_fingerprint() -> str:
    """What tells the secret from another one, and does not give it away."""
    return keyed_hash(b"dayslice: which key", hash_key())[:16]


def keyed_hash(value: bytes, key: bytes) -> str:
    """The hash of a value, in hexadecimal digits."""
    return hmac.new(key, value, hashlib.sha256).hexdigest()


def statement_key(key: bytes) -> bytes:
    """A secret for statements that an engine keeps for others to read: hashed columns cannot be told by it."""
    return hmac.new(key, b"dayslice: erased persons in statements", hashlib.sha256).digest()


def pads(key: bytes) -> tuple[bytes, bytes]:
    """The two texts by which an engine that knows SHA-256 alone makes the same hash (RFC 2104): inner and outer."""
    whole = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return bytes(each ^ 0x36 for each in whole), bytes(each ^ 0x5C for each in whole)
