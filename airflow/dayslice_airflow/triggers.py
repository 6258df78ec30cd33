"""Waiting for slices in the triggerer: one look at the metastore serves all runs that wait."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from airflow.triggers.base import BaseTrigger, TriggerEvent

from dayslice.errors import DaysliceError
from dayslice.metastore.choice import MetastorePlace, open_place
from dayslice.orchestration.dag_index import IndexedWait
from dayslice.rules.slices import Slice, Table
from dayslice.rules.waits import Awaited

# Seconds between two looks, for all waiting runs together.
LOOK_EVERY = float(os.environ.get("DAYSLICE_LOOK_EVERY", "20"))
# After failures the looks become rarer, up to this; and none takes longer than the other.
BACK_OFF_TO = 300.0
LOOK_AT_MOST = 120.0

log = logging.getLogger(__name__)

Standing = Mapping[Table, frozenset[str]]


def look(place: MetastorePlace, tables: Iterable[Table]) -> Standing:
    """The published ds of each table: one short session with the metastore, which is asked for all at once."""
    with open_place(place) as metastore:
        return {table: frozenset(ds) for table, ds in metastore.published_ds_of(sorted(set(tables))).items()}


def tables_of(waits: Iterable[Awaited]) -> Iterator[Table]:
    """The tables that have to be looked at to say whether waits hold."""
    for each in waits:
        yield each.table
        if each.followed is not None:
            yield each.followed


def missing_of(waits: Iterable[Awaited], ds: str, standing: Standing, zone: tzinfo = UTC) -> list[Slice]:
    """The slices that are waited for and do not stand."""
    missing: dict[Slice, None] = {}
    for each in waits:
        wanted = each.wanted(ds, standing.__getitem__, zone)
        missing.update((slice, None) for slice in wanted if slice.ds not in standing[slice.table])
    return list(missing)


def named(missing: list[Slice], at_most: int = 20) -> str:
    """Missing slices in words."""
    more = f" and {len(missing) - at_most} more" if len(missing) > at_most else ""
    return ", ".join(str(each) for each in missing[:at_most]) + more


class Lookout:
    """Looks at one metastore every few seconds for as long as anybody waits. Of one event loop."""

    def __init__(self, place: MetastorePlace):
        self.place = place
        self.wanted: dict[object, frozenset[Table]] = {}
        self.seen: Standing = {}
        self.error = ""
        self.looks = self.failures = 0
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None

    async def looks_for(self, tables: frozenset[Table]) -> AsyncIterator[Standing | None]:
        """What stands of the tables, each time that somebody has looked; None where the metastore did not answer."""
        me = object()
        self.wanted[me] = tables
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._look_out())
        try:
            while True:
                async with self.changed:
                    await self.changed.wait()
                if self.error:
                    yield None
                elif tables <= self.seen.keys():
                    yield self.seen
        finally:
            del self.wanted[me]

    async def _look_out(self) -> None:
        while self.wanted:
            # Those who came in the meantime wait a little, so that all who come together share one look.
            await asyncio.sleep(self.pause)
            tables = frozenset().union(*self.wanted.values())
            try:
                looked = asyncio.to_thread(look, self.place, tables)
                self.seen, self.error, self.failures = await asyncio.wait_for(looked, LOOK_AT_MOST), "", 0
            except Exception as error:
                # Whatever it was, those who wait depend on the next look: a locked file, an expired token, throttling.
                self.failures += 1
                self.error = in_words(error)
                log.warning("look %d failed: %s; the next in %.0f s", self.looks + 1, self.error, self.pause)
            self.looks += 1
            async with self.changed:
                self.changed.notify_all()

    @property
    def pause(self) -> float:
        """Seconds until the next look: after each failure twice as many, up to five minutes."""
        return min(LOOK_EVERY * 2.0 ** min(self.failures, 16), max(LOOK_EVERY, BACK_OFF_TO))

    @property
    def health(self) -> str:
        """For the log of those who wait."""
        failed = f"{self.failures} look{'s' * (self.failures > 1)} at the metastore failed"
        return f"{failed}, the last with: {self.error}; the next in {self.pause:.0f} s"


def in_words(error: Exception) -> str:
    """An error of any library in one line."""
    if isinstance(error, DaysliceError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"no answer within {LOOK_AT_MOST:.0f} s"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


_lookouts: dict[tuple[MetastorePlace, int], Lookout] = {}


def lookout(place: MetastorePlace) -> Lookout:
    """The one who looks at a metastore for all triggers of this process's event loop."""
    key = (place, id(asyncio.get_running_loop()))
    return _lookouts.setdefault(key, Lookout(place))


class SlicesStand(BaseTrigger):
    """Fires when all slices that a run waits for stand, or when its deadline is over.

    Its event's payload: `missing`, the names of the slices that are not there; empty when all are.
    """

    def __init__(self, place: Mapping[str, str], waits: list[Mapping[str, Any]], ds: str, deadline: str, zone: str):
        super().__init__()
        self.place, self.waits, self.ds, self.deadline, self.zone = place, waits, ds, deadline, zone

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps it in its database."""
        own = {
            "place": dict(self.place),
            "waits": list(self.waits),
            "ds": self.ds,
            "deadline": self.deadline,
            "zone": self.zone,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", own

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        waits = [IndexedWait(**each).awaited() for each in self.waits]
        tables = frozenset(tables_of(waits))
        left = (datetime.fromisoformat(self.deadline) - datetime.now(UTC)).total_seconds()
        said: list[Slice] = []
        looks = lookout(MetastorePlace(**self.place))
        try:
            async with asyncio.timeout(max(left, 0)):
                async for standing in looks.looks_for(tables):
                    if standing is None:
                        self.log.warning("%s", looks.health)
                        continue
                    missing = missing_of(waits, self.ds, standing, ZoneInfo(self.zone))
                    if not missing:
                        yield TriggerEvent({"missing": []})
                        return
                    if missing != said:
                        self.log.info("%s still waits for %s", self.ds, named(missing))
                        said = missing
        except TimeoutError:
            no_answer = [f"an answer of the metastore ({looks.error})"]
            yield TriggerEvent({"missing": [str(each) for each in said] or no_answer})
