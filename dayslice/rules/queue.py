"""Which slices of a plan can be made now, side by side with those that are being made. Pure.

The graph is (table, ds): what a slice reads of the plan comes before it, its own earlier slices among that. What is
given out together is of one ds, so that one dbt build makes it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from math import ceil

from dayslice.rules.calendar import cover
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import Plan, Step
from dayslice.rules.settings import Kind
from dayslice.rules.stale import Key
from dayslice.rules.waits import date_of, reads


class ReadyQueue:
    """Gives out the slices of a plan in parts, and is told what became of each."""

    def __init__(
        self, plan: Plan, tables: Mapping[str, TableNode], zone: tzinfo = UTC, newest_first: bool = False
    ) -> None:
        steps = list(reversed(plan.steps)) if newest_first else list(plan.steps)
        self.order: dict[str, list[Key]] = {}
        for step in steps:
            self.order.setdefault(step.ds, []).extend((unique_id, step.ds) for unique_id in step.tables)
        self.tables = tables
        planned = {key for keys in self.order.values() for key in keys}
        of_table: dict[str, list[str]] = {}
        for unique_id, ds in sorted(planned):
            of_table.setdefault(unique_id, []).append(ds)
        self.needs = {key: planned.intersection(_read(tables, key, zone)) for key in planned}
        self.readers: dict[Key, list[Key]] = {}
        for key, needed in self.needs.items():
            for each in needed:
                self.readers.setdefault(each, []).append(key)
        self.dated = {key: list(_dated(tables, key, of_table, zone)) for key in planned}
        """What is read as of a date: a table, and how many of its oldest slices it may be. Without them an older one
        is read, or what stands already.
        """
        self.ended: dict[str, _Ended] = {}
        for key, found in self.dated.items():
            for upstream, count in found:
                if upstream not in self.ended:
                    self.ended[upstream] = _Ended(of_table[upstream])
                self.ended[upstream].waiting.setdefault(count, []).append(key)
        self.left = set(planned)
        """What is neither made nor given out."""
        self.unmet = {key: len(needed) + len(self.dated[key]) for key, needed in self.needs.items()}
        self.ready = {ds: {key for key in keys if not self.unmet[key]} for ds, keys in self.order.items()}
        self.out: set[Key] = set()
        self.made: set[Key] = set()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left, and nothing is being made."""
        return not self.left and not self.out

    def take(self, idle: int = 1) -> Step | None:
        """What one of so many idle workers can make now; None where all that is left waits for what is being made.

        All that is ready of one ds, with what becomes ready by it; a share of it where there is no other ds for the
        other workers.
        """
        days = [ds for ds, keys in self.ready.items() if keys]
        if days:
            ds = days[0]
            now = [key for key in self.order[ds] if key in self.ready[ds]]
            share = now if len(days) >= idle else now[: ceil(len(now) / (idle - len(days) + 1))]
            taken = self._with_what_follows(ds, share)
        elif self.left and not self.out:
            # Slices that may read each other, as an `asof` does: then one ds after another, and what cannot be is told.
            ds = next(ds for ds, keys in self.order.items() if self.left.intersection(keys))
            taken = self.left.intersection(self.order[ds])
        else:
            return None
        self.left -= taken
        self.ready[ds] -= taken
        self.out |= taken
        nodes = [self.tables[unique_id] for unique_id, of in self.order[ds] if (unique_id, of) in taken]
        return Step(
            ds,
            tuple(node for node in nodes if node.is_import),
            tuple(node for node in nodes if not node.is_import),
        )

    def told(self, key: Key, is_there: bool) -> list[Key]:
        """What became of a slice. Where it is not there: what needs it, and is not given out yet, which is given up."""
        self.out.discard(key)
        self.left.discard(key)
        if is_there:
            self.made.add(key)
            for reader in self.readers.get(key, ()):
                self._met(reader)
            self._end(key)
            return []
        lost: dict[Key, None] = {}
        todo = [key]
        while todo:
            gone = todo.pop()
            for reader in self.readers.get(gone, ()):
                if reader in self.left and reader not in lost:
                    lost[reader] = None
                    todo.append(reader)
        self.left -= lost.keys()
        for each in (key, *lost):
            self._end(each)
        return list(lost)

    def _end(self, key: Key) -> None:
        """It is there, or it is given up: what reads its table as of a date goes on either way."""
        if ended := self.ended.get(key[0]):
            for reader in ended.with_this(key[1]):
                self._met(reader)

    def _met(self, reader: Key) -> None:
        self.unmet[reader] -= 1
        if not self.unmet[reader] and reader in self.left:
            self.ready[reader[1]].add(reader)

    def _with_what_follows(self, ds: str, begin: Sequence[Key]) -> set[Key]:
        """With what of the same ds can be made once these are: what needs none of them is for another worker."""
        taken = set(begin)
        for key in self.order[ds]:  # upstream first
            if key not in self.left:
                continue
            needed = self.needs[key]
            dated = {(table, each) for table, count in self.dated[key] for each in self.ended[table].lacking(count)}
            if (needed | dated) & taken and needed - taken <= self.made and dated <= taken:
                taken.add(key)
        return taken


class _Ended:
    """How many of a table's oldest slices are there or given up, and who waits for how many."""

    def __init__(self, days: Sequence[str]) -> None:
        self.days = days
        self.count = 0
        self.later: set[str] = set()
        self.waiting: dict[int, list[Key]] = {}

    def with_this(self, ds: str) -> Iterator[Key]:
        """This one is, too: who waited for that."""
        self.later.add(ds)
        while self.count < len(self.days) and self.days[self.count] in self.later:
            self.later.remove(self.days[self.count])
            self.count += 1
            yield from self.waiting.pop(self.count, ())

    def lacking(self, count: int) -> list[str]:
        """Those of so many that have not ended: not more than two, as who has to wait for two has to wait."""
        return list(self.days[self.count : min(count, self.count + 2)])


def _read(tables: Mapping[str, TableNode], key: Key, zone: tzinfo) -> Iterator[Key]:
    """What a slice cannot be made without, whether it is planned or not."""
    unique_id, ds = key
    for wait in tables[unique_id].waits:
        if wait.asof is None:
            upstream = tables[wait.upstream].settings
            itself = wait.upstream == unique_id
            kind = Kind.CUMULATIVE if itself else upstream.kind
            found = reads(ds, upstream.grain, kind, wait.offset, wait.periods, zone)
            yield from ((wait.upstream, each) for each in found if not itself or each < ds)


def _dated(
    tables: Mapping[str, TableNode], key: Key, planned: Mapping[str, list[str]], zone: tzinfo
) -> Iterator[tuple[str, int]]:
    """Of which tables a slice reads whichever is the newest by a date, and how many of their planned ds may be it.

    A number, as a list for each ds would grow with the square of the days. `planned`: the ds of each table, oldest
    first.
    """
    unique_id, ds = key
    for wait in tables[unique_id].waits:
        if wait.asof is not None:
            last = cover(date_of(wait, ds, zone), tables[wait.upstream].settings.grain, zone)[-1]
            there = planned.get(wait.upstream, [])
            count = bisect_right(there, last)
            if wait.upstream == unique_id:
                count = min(count, bisect_left(there, ds))
            if count:
                yield wait.upstream, count
