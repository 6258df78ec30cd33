"""What an erasure does on each engine, and what its versions have in common."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from dayslice.errors import Refused
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import INPUTS, REPLACED, REWRITTEN, inputs_of, inputs_text, read_of, rewritten_from
from dayslice.rules.slices import Receipt, Slice, Version

Hashes = Mapping[str, frozenset[str]]
"""By column, in lower case."""
Moved = dict[tuple[Slice, str], Version]
"""The versions that took the places of others, by slice and the id before."""


@dataclass
class Erased:
    """What went of one table, or would: slices, versions of them, rows in these; folders that nobody owned."""

    table: str
    slices: list[str] = field(default_factory=list)
    versions: int = 0
    rows: int = 0
    leftovers: int = 0
    under_way: int = 0
    """Stages with such rows that somebody is writing at this moment."""

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing."""
        return not (self.versions or self.leftovers or self.under_way)


class Eraser(Protocol):
    """One engine's warehouse, while rows are erased from it."""

    def begin(self, nodes: Sequence[TableNode]) -> None:
        """Before anything is looked for in these tables."""
        ...

    def found(self, node: TableNode, hashes: Hashes) -> Iterator[tuple[Version, int]]:
        """The versions of a table, published and kept, that have rows of somebody, with how many.

        Of each slice the oldest is first, so that what replaced it can name it.
        """
        ...

    def rewrite(self, node: TableNode, version: Version, hashes: Hashes, count: int) -> None:
        """Put a version without these rows in the place of one that has `count` of them."""
        ...

    def remove_replaced(self) -> None:
        """The files of versions whose places others took go, if they have not gone by now."""
        ...

    def leftovers(self, node: TableNode, hashes: Hashes, done: Erased) -> None:
        """What no version of the metastore is goes, where it has such rows; both is counted in `done`."""
        ...


def check_left(node: TableNode, before: Version, made: Receipt, count: int, still: int) -> None:
    """Raises Refused where a rewritten version has not as many rows less as were found, or still has some of them."""
    if made.rows != before.receipt.rows - count or still:
        raise Refused(
            f"{before.slice}: of {before.receipt.rows:,} rows {count:,} are to go, {made.rows:,} are left: "
            f"a column of {node} that names a person must be a text or a whole number, in the source and here"
        )


def follow(before: Version, made: Version, moved: Moved) -> Version:
    """The new version, its inputs those that took the places of the ones before, and itself known as one of these."""
    more = dict(made.receipt.more)
    inputs = inputs_of(made.receipt)
    if inputs:
        now = {
            slice: read_of(moved[slice, read.version]) if (slice, read.version) in moved else read
            for slice, read in inputs.items()
        }
        more[INPUTS] = inputs_text(now)
    if (made.slice, more.get(REPLACED, "")) in moved:
        more[REPLACED] = moved[made.slice, more[REPLACED]].id
    more[REWRITTEN] = " ".join([*rewritten_from(before.receipt), before.id])
    return replace(made, receipt=replace(made.receipt, more=more))


def remember(moved: Moved, history: Mapping[str, list[Version]]) -> None:
    """What took the places of others in a run that was killed: what was made of those says so then."""
    for version in (each for versions in history.values() for each in versions):
        for id in rewritten_from(version.receipt):
            moved[version.slice, id] = version
