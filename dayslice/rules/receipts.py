"""What a receipt says of where a version came from and what is in it: inputs, logic, fingerprint. Pure.

Receipts of before have none of these: then nothing is known, which is never taken for "the same".
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from dayslice.rules.slices import Receipt, Slice, Table, Version

INPUTS = "inputs"
LOGIC = "logic"
AUDIT_LOGIC = "audit_logic"
FINGERPRINT = "fingerprint"
FIRST_PUBLISHED = "first_published"
# When it was published, of a version that was staged with others and published later than it was finished.
PUBLISHED = "published"
# The version that stood as this one was begun.
REPLACED = "replaced"
# The versions whose places this one took, without rows of an erased person.
REWRITTEN = "rewritten_from"
# On Trino, of a table that names persons: how many hashes were on the list of those who were left out.
LEFT_OUT = "left_out"
# Of an import: its files' sums, in their order. Equal ones are equal content; others may be, in another order.
_FILES = "files sha256"


@dataclass(frozen=True)
class Read:
    """The version of a slice that was read, the digest of its content then ('' where none is known), and its rows."""

    version: str
    digest: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Fingerprint:
    """What is in a version, whatever the order of its rows.

    `algorithm` says which engine's hash it is: fingerprints of two algorithms cannot be compared. `rows` is of whole
    rows, '' where a column's type does not let them be hashed; `columns` of the values of each column, by its name. A
    float counts by its bits: a sum that was added up in another order may have others. NaN is NaN and -0.0 is 0.0 on
    DuckDB.
    """

    algorithm: str
    rows: str
    columns: Mapping[str, str]

    def to_text(self) -> str:
        """As a receipt holds it."""
        return json.dumps([self.algorithm, self.rows, dict(self.columns)], ensure_ascii=False, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """A short text for all of it; '' where whole rows are not known."""
        if not self.rows:
            return ""
        ordered = json.dumps([self.algorithm, self.rows, sorted(self.columns.items())])
        return hashlib.sha256(ordered.encode()).hexdigest()[:16]

    def changed_columns(self, other: "Fingerprint") -> list[str] | None:
        """The columns whose values differ, new and gone ones among them; None where the two cannot be compared.

        None of them, and other `rows`: the same values, otherwise combined.
        """
        if self.algorithm != other.algorithm or self.algorithm == _FILES:
            return [] if self == other else None
        names = dict.fromkeys([*self.columns, *other.columns])
        return [name for name in names if self.columns.get(name) != other.columns.get(name)]


def inputs_text(inputs: Mapping[Slice, Read]) -> str:
    """The slices that were read, as a receipt holds them: by table, version, digest and rows of each ds."""
    found: dict[Table, dict[str, list[str | int | None]]] = {}
    for slice, read in inputs.items():
        found.setdefault(slice.table, {})[slice.ds] = [read.version, read.digest, read.rows]
    return json.dumps([[table.schema, table.name, slices] for table, slices in found.items()], separators=(",", ":"))


def inputs_of(receipt: Receipt) -> dict[Slice, Read] | None:
    """The slices that a version was computed from; None where its receipt does not say. An import has none."""
    if INPUTS not in receipt.more:
        return None
    return {
        Slice(table, ds): Read(*read)
        for schema, name, slices in orjson.loads(receipt.more[INPUTS])
        for table in (Table(schema, name),)
        for ds, read in slices.items()
    }


def inputs_in_short(receipt: Receipt) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Schema, name and ds of each slice that was read, with the version's id: without a noun for each of a million."""
    for schema, name, slices in orjson.loads(receipt.more.get(INPUTS, "[]")):
        for ds, read in slices.items():
            yield (schema, name, ds), read[0]


def fingerprint_of(receipt: Receipt) -> Fingerprint | None:
    """The content of a version; None where its receipt does not say. An import's is of its files, without columns."""
    if text := receipt.more.get(FINGERPRINT):
        return Fingerprint(*json.loads(text))
    # Of an import. What a model wrote is Parquet, whose bytes a version of DuckDB may change.
    if is_import(receipt) and "checksums" in receipt.more:
        content = receipt.more["columns"] + receipt.more["checksums"]
        return Fingerprint(_FILES, hashlib.sha256(content.encode()).hexdigest()[:16], {})
    return None


def is_import(receipt: Receipt) -> bool:
    """Whether a receipt is of an import, whose CSV lies where its version does."""
    return "longest_line" in receipt.more


def digest_of(receipt: Receipt) -> str:
    """The digest of a version's content, or ''."""
    found = fingerprint_of(receipt)
    return found.digest if found else ""


def read_of(version: Version) -> Read:
    """A version as an input of another."""
    return Read(version.id, digest_of(version.receipt), version.receipt.rows)


def is_same_content(read: Read, version: Version) -> bool:
    """Whether what stands is what was read: that version, or another one that is known to hold the same."""
    return read.version == version.id or (read.digest != "" and read.digest == digest_of(version.receipt))


def rewritten_from(receipt: Receipt) -> list[str]:
    """The ids of the versions that this one took the places of, as somebody was erased."""
    return receipt.more.get(REWRITTEN, "").split()


def first_published(receipt: Receipt) -> str:
    """When the slice was published for the first time, by whichever version; '' where nothing is known of it."""
    return receipt.more.get(FIRST_PUBLISHED, "")


def published_at(receipt: Receipt) -> str:
    """When a version was published for the first time: as it was finished, unless it was staged with others."""
    return receipt.more.get(PUBLISHED) or receipt.finished


def published_now(version: Version, now: str) -> Version:
    """A version that was staged before, and is published at this moment."""
    more = {**version.receipt.more, PUBLISHED: now}
    if more.get(FIRST_PUBLISHED) == version.receipt.finished:
        more[FIRST_PUBLISHED] = now
    return replace(version, receipt=replace(version.receipt, more=more))


def source_of(receipt: Receipt) -> dict[str, str]:
    """Of an import, the source's snapshot that it read: `snapshot`, `lsn`, `encoding`, `role`; {} of a model."""
    prefix = "source_"
    return {key.removeprefix(prefix): value for key, value in receipt.more.items() if key.startswith(prefix)}
