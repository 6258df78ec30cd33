"""What waiting runs cost a triggerer: CPU, and questions to the metastore.

    python -m benchmarks.airflow_waits [--runs 100 1000] [--tables 100] [--seconds 60] [--metastore thrift://…]

So many runs wait at once, in one event loop as in Airflow's triggerer, for slices of so many tables that never come;
each table has a year of slices. Looks are as far apart as in production. Airflow's own part is not in it.
"""

import argparse
import asyncio
import contextlib
import random
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dayslice_airflow import triggers
from rich.console import Console
from rich.table import Table as Shown

from dayslice.metastore.choice import MetastorePlace
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.orchestration.dag_index import IndexedWait
from dayslice.rules.calendar import Grain, window
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.rules.waits import Awaited, Wait

WAITS_A_RUN = 5


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, nargs="+", default=[100, 1000])
    options.add_argument("--tables", type=int, default=100)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--metastore", help="a Hive metastore that is up; its tables need not be there")
    chosen = options.parse_args()
    shown = Shown("runs", "tables", "seconds", "CPU, s", "share of a core", "sessions a minute", "questions a minute")
    with tempfile.TemporaryDirectory() as folder:
        tables = [Table("many", f"table_{n}") for n in range(chosen.tables)]
        place = MetastorePlace("hive", chosen.metastore) if chosen.metastore else with_a_year(Path(folder), tables)
        for runs in chosen.runs:
            looks, cpu = asyncio.run(wait_for_nothing(place, tables, runs, chosen.seconds))
            minutes = chosen.seconds / 60
            shown.add_row(
                str(runs),
                str(len(tables)),
                f"{chosen.seconds:.0f}",
                f"{cpu:.2f}",
                f"{cpu / chosen.seconds:.2%}",
                f"{len(looks) / minutes:.1f}",
                f"{sum(looks) / minutes:.0f}",
            )
    Console().print(shown)


def with_a_year(folder: Path, tables: list[Table]) -> MetastorePlace:
    """A local metastore in which each table has 365 slices."""
    file = folder / "metastore.sqlite"
    days = window("2018-03-01", 365)
    with SQLiteMetastore(file) as metastore:
        metastore.publish_first(
            [Version(Slice(table, ds), new_version_id(), Receipt(rows=1)) for table in tables for ds in days]
        )
    return MetastorePlace("sqlite", str(file))


async def wait_for_nothing(
    place: MetastorePlace, tables: list[Table], runs: int, seconds: float
) -> tuple[list[int], float]:
    """How many tables each look asked for, and the CPU seconds of it all."""
    looks: list[int] = []
    look = triggers.look

    def counted(place, tables):
        looks.append(len(tables))
        return look(place, tables)

    triggers.look = counted
    deadline = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    chance = random.Random(1)
    begun = time.process_time()
    try:
        waiting = [asyncio.create_task(anext(trigger(place, chance, tables, deadline).run())) for _ in range(runs)]
        done, _ = await asyncio.wait(waiting, timeout=seconds)
        for each in waiting:
            each.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*waiting)
        if done:
            raise RuntimeError(f"{len(done)} runs did not wait: {[each.result() for each in list(done)[:1]]}")
    finally:
        triggers.look = look
    return looks, time.process_time() - begun


def trigger(place: MetastorePlace, chance: random.Random, tables: list[Table], deadline: str) -> triggers.SlicesStand:
    """One run that waits for a few tables."""
    waits = [
        IndexedWait.of(Awaited(Wait(str(table)), table, Grain.DAY, Kind.EVENTS))
        for table in chance.sample(tables, min(WAITS_A_RUN, len(tables)))
    ]
    return triggers.SlicesStand(asdict(place), [asdict(each) for each in waits], "2018-03-02", deadline, "UTC")


if __name__ == "__main__":
    main()
