"""Waiting for slices in the triggerer: one look at the metastore serves all runs that wait."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from dayslice.errors import DaysliceError
from dayslice.metastore.choice import MetastorePlace, open_place
from dayslice.orchestration.dag_index import IndexedWait
from dayslice.rules.slices import Slice, Table
from dayslice.rules.waits import Awaited

# Seconds between two looks, for all waiting runs together.
LOOK_EVERY = float(os.environ.get("DAYSLICE_LOOK_EVERY", "20"))

Standing = Mapping[Table, frozenset[str]]


def look(place: MetastorePlace, tables: Iterable[Table]) -> Standing:
    """The published ds of each table: one short session with the metastore, one question a table."""
    with open_place(place) as metastore:
        return {table: frozenset(metastore.published_ds(table)) for table in sorted(set(tables))}


def missing_of(waits: Iterable[Awaited], ds: str, standing: Standing) -> list[Slice]:
    """The slices that are waited for and do not stand."""
    missing: dict[Slice, None] = {}
    for each in waits:
        wanted = each.wanted(ds, lambda table: min(standing[table], default=None))
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
        self.looks = 0
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
            await asyncio.sleep(LOOK_EVERY)
            tables = frozenset().union(*self.wanted.values())
            try:
                self.seen, self.error = await asyncio.to_thread(look, self.place, tables), ""
            except (DaysliceError, OSError) as error:
                self.error = str(error)
            self.looks += 1
            async with self.changed:
                self.changed.notify_all()


_lookouts: dict[tuple[MetastorePlace, int], Lookout] = {}


def lookout(place: MetastorePlace) -> Lookout:
    """The one who looks at a metastore for all triggers of this process's event loop."""
    key = (place, id(asyncio.get_running_loop()))
    return _lookouts.setdefault(key, Lookout(place))


class SlicesStand(BaseTrigger):
    """Fires when all slices that a run waits for stand, or when its deadline is over.

    Its event's payload: `missing`, the names of the slices that are not there; empty when all are.
    """

    def __init__(self, place: Mapping[str, str], waits: list[Mapping[str, Any]], ds: str, deadline: str):
        super().__init__()
        self.place, self.waits, self.ds, self.deadline = place, waits, ds, deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps it in its database."""
        own = {"place": dict(self.place), "waits": list(self.waits), "ds": self.ds, "deadline": self.deadline}
        return f"{type(self).__module__}.{type(self).__qualname__}", own

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        waits = [IndexedWait(**each).awaited() for each in self.waits]
        tables = frozenset(each.table for each in waits)
        left = (datetime.fromisoformat(self.deadline) - datetime.now(UTC)).total_seconds()
        said: list[Slice] = []
        looks = lookout(MetastorePlace(**self.place))
        try:
            async with asyncio.timeout(max(left, 0)):
                async for standing in looks.looks_for(tables):
                    if standing is None:
                        self.log.warning("the metastore does not answer (%s); asking again", looks.error)
                        continue
                    missing = missing_of(waits, self.ds, standing)
                    if not missing:
                        yield TriggerEvent({"missing": []})
                        return
                    if missing != said:
                        self.log.info("%s still waits for %s", self.ds, named(missing))
                        said = missing
        except TimeoutError:
            no_answer = [f"an answer of the metastore ({looks.error})"]
            yield TriggerEvent({"missing": [str(each) for each in said] or no_answer})
