"""Waits: which slices of other tables must stand before a slice is computed. Pure; asks nobody.

Macros leave a wait in the manifest for each `slice()` (a flat key in the node's meta); a plain `ref` or `source` of
a table of slices is a wait for this run's slice. One rule (`reads`) says both what a model reads and what it waits
for, so that the two cannot differ.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo

from dayslice.rules.calendar import Grain, cover, grain_of, shift, window
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Slice, Table

RUN_DS = "ds"


@dataclass(frozen=True)
class Wait:
    """A table reads `periods` slices of `upstream` (a dbt unique_id), the last of them `offset` slices from its ds.

    `asof`: instead the newest slice at or before a date, which this is, or RUN_DS: `offset` of the table's own periods
    from its ds. `follows`: where that is its own newest slice, the table (unique_id) that it follows: each slice of
    that one since then is to have one of its own.
    """

    upstream: str
    offset: int = 0
    periods: int = 1
    asof: str | None = None
    follows: str | None = None

    @property
    def is_range(self) -> bool:
        """Whether it asks for several slices, which are clipped at the upstream's start."""
        return self.periods > 1


def reads(ds: str, grain: Grain, kind: Kind, offset: int = 0, periods: int = 1, zone: tzinfo = UTC) -> list[str]:
    """The upstream slices that a table reads for its own ds, oldest first, before any clipping.

    `grain` and `kind` are the upstream's. Of a finer upstream, a period holds all slices of events and the last of
    a cumulative one; of a coarser upstream, the slice that contains the period. Offsets and ranges then count in
    the upstream's own grain. What the time zone's clock leaps over is not among them.
    """
    held = cover(ds, grain, zone)
    if kind is Kind.CUMULATIVE:
        held = held[-1:]
    if periods > 1:
        return window(shift(held[-1], offset, zone), periods, zone)
    return [shift(each, offset, zone) for each in held]


def date_of(wait: Wait, ds: str, zone: tzinfo = UTC) -> str:
    """The date of an `asof` wait, for a table's own ds."""
    return shift(ds, wait.offset, zone) if wait.asof == RUN_DS else str(wait.asof)


def in_order(published: Collection[str]) -> list[str]:
    """ds values, oldest first. A list is in order already, as metastores give it: asked for each ds of a long history,
    to sort it would cost the square of it.
    """
    return published if isinstance(published, list) else sorted(published)


def newest(published: Collection[str], date: str, grain: Grain, zone: tzinfo = UTC) -> str | None:
    """The newest published slice of a table of `grain` at or before a date of any grain: within it, too."""
    standing = in_order(published)
    at = bisect_right(standing, cover(date, grain, zone)[-1])
    return standing[at - 1] if at else None


def read_of_published(
    wait: Wait, ds: str, grain: Grain, kind: Kind, published: Collection[str], zone: tzinfo = UTC
) -> list[str]:
    """What `reads` gives, of any wait: which slice an `asof` means depends on what is published."""
    if wait.asof is None:
        return reads(ds, grain, kind, wait.offset, wait.periods, zone)
    found = newest(published, date_of(wait, ds, zone), grain, zone)
    return [] if found is None else [found]


def wanted(
    wait: Wait, ds: str, grain: Grain, kind: Kind, first: Callable[[], str | None], zone: tzinfo = UTC
) -> list[str]:
    """The upstream slices that must stand. A range is clipped at `first()`: the upstream's start or earliest slice."""
    slices = reads(ds, grain, kind, wait.offset, wait.periods, zone)
    if not wait.is_range:
        return slices
    earliest = first()
    return slices if earliest is None else [each for each in slices if each >= earliest]


def wanted_of_itself(wait: Wait, ds: str, first: Callable[[], str | None], zone: tzinfo = UTC) -> list[str]:
    """A table's own earlier slices that must stand: none before its first. `first()`: its start or earliest slice."""
    earliest = first()
    slices = reads(ds, grain_of(ds), Kind.CUMULATIVE, wait.offset, wait.periods, zone)
    return [] if earliest is None else [each for each in slices if earliest <= each < ds]


@dataclass(frozen=True)
class Awaited:
    """A wait, with what must be known of its upstream table to say which slices it wants."""

    wait: Wait
    table: Table
    grain: Grain
    kind: Kind
    start: str | None = None
    itself: bool = False
    followed: Table | None = None
    """The table that the wait follows, which has the same grain."""

    def wanted(self, ds: str, published: Callable[[Table], Collection[str]], zone: tzinfo = UTC) -> list[Slice]:
        """The slices that must stand before `ds` is computed. `published`: the ds of a table that stand; a list is in
        order.

        `zone` is the project's: where its clock leaps, there are no slices to wait for.
        """

        def first() -> str | None:
            there = published(self.table)
            return self.start or (next(iter(there), None) if isinstance(there, list) else min(there, default=None))

        if self.wait.asof is not None:
            found = self._wanted_as_of(ds, published, zone)
        elif self.itself:
            found = wanted_of_itself(self.wait, ds, first, zone)
        else:
            found = wanted(self.wait, ds, self.grain, self.kind, first, zone)
        return [Slice(self.table, each) for each in found]

    def asked_for(self, ds: str, zone: tzinfo = UTC) -> list[Slice]:
        """What `wanted` gives where nothing is left out because it does not stand. Nothing of an `asof`."""
        if self.wait.asof is not None:
            return []
        kind = Kind.CUMULATIVE if self.itself else self.kind
        found = reads(ds, self.grain, kind, self.wait.offset, self.wait.periods, zone)
        since = [each for each in found if each >= (self.start or each)]
        return [Slice(self.table, each) for each in since if not self.itself or each < ds]

    def _wanted_as_of(self, ds: str, published: Callable[[Table], Collection[str]], zone: tzinfo) -> list[str]:
        date = date_of(self.wait, ds, zone)
        found = newest(published(self.table), date, self.grain, zone)
        if found is None:
            return [] if self.itself else [cover(date, self.grain, zone)[-1]]
        since = in_order(published(self.followed)) if self.followed else []
        return [found, *since[bisect_right(since, found) : bisect_left(since, ds)]]
