"""Waiting in the triggerer, on a real metastore."""

import asyncio
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from dayslice_airflow import triggers
from dayslice_airflow.triggers import SlicesStand

from dayslice.errors import Transient
from dayslice.metastore.choice import MetastorePlace
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.orchestration.dag_index import IndexedWait
from dayslice.rules.calendar import Grain
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.rules.waits import Awaited, Wait

ORDERS, CLICKS, RUNNING = (Table("erp", "orders"), Table("erp", "clicks"), Table("analytics", "running"))
OF_ORDERS = Awaited(Wait("orders"), ORDERS, Grain.DAY, Kind.EVENTS)
OF_CLICKS = Awaited(Wait("clicks"), CLICKS, Grain.HOUR, Kind.EVENTS)
OF_STOCK = Awaited(Wait("clicks"), CLICKS, Grain.HOUR, Kind.CUMULATIVE)
OF_A_WEEK = Awaited(Wait("orders", 0, 7), ORDERS, Grain.DAY, Kind.EVENTS)
AS_OF = Awaited(Wait("orders", asof="ds"), ORDERS, Grain.DAY, Kind.CUMULATIVE)
OF_HISTORY = Awaited(
    Wait("running", -1, 1, "ds", "orders"), RUNNING, Grain.DAY, Kind.CUMULATIVE, itself=True, followed=ORDERS
)
OF_ITSELF = Awaited(Wait("running", -1), RUNNING, Grain.DAY, Kind.CUMULATIVE, itself=True)


@pytest.fixture
def place(tmp_path):
    return MetastorePlace("sqlite", str(tmp_path / "metastore.sqlite"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(triggers, "LOOK_EVERY", 0.2)


@pytest.fixture
def looked(monkeypatch):
    """Every look at the metastore."""
    looks = []
    look = triggers.look

    def counted(place, tables):
        looks.append(sorted(set(tables)))
        return look(place, tables)

    monkeypatch.setattr(triggers, "look", counted)
    return looks


def publish(place, *slices):
    from pathlib import Path  # noqa: PLC0415

    with SQLiteMetastore(Path(place.at)) as metastore:
        for table, ds in slices:
            version = Version(Slice(table, ds), new_version_id(), Receipt(rows=1))
            metastore.publish(version)


def trigger(place, *waits, ds="2018-03-01", seconds=20.0):
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    made = SlicesStand(asdict(place), [asdict(IndexedWait.of(each)) for each in waits], ds, deadline.isoformat(), "UTC")
    # As it comes back from Airflow's database.
    path, arguments = made.serialize()
    assert path == "dayslice_airflow.triggers.SlicesStand"
    return SlicesStand(**arguments)


async def missing(trigger):
    async for event in trigger.run():
        return event.payload["missing"]


@pytest.mark.parametrize(
    ("wait", "standing", "wanted"),
    [
        (OF_ORDERS, [], ["2018-03-01"]),
        (OF_ORDERS, ["2018-03-01"], []),
        (OF_ORDERS, ["2018-02-28", "2018-03-02"], ["2018-03-01"]),
        (OF_CLICKS, [f"2018-03-01T{hour:02d}" for hour in range(23)], ["2018-03-01T23"]),
        (OF_STOCK, [], ["2018-03-01T23"]),
        (OF_A_WEEK, ["2018-02-27", "2018-02-28", "2018-03-01"], []),
        (OF_A_WEEK, ["2018-02-27", "2018-03-01"], ["2018-02-28"]),
        (OF_ITSELF, [], []),
        (OF_ITSELF, ["2018-02-27"], ["2018-02-28"]),
        (OF_ITSELF, ["2018-03-02"], []),
        (AS_OF, ["2018-01-01"], []),
        (AS_OF, ["2018-03-02"], ["2018-03-01"]),
    ],
)
def test_what_is_waited_for(wait, standing, wanted):
    found = triggers.missing_of([wait], "2018-03-01", {wait.table: frozenset(standing)})
    assert [each.ds for each in found] == wanted


def test_a_history_waits_for_its_slice_of_each_earlier_snapshot(place):
    publish(place, (RUNNING, "2018-02-26"), (ORDERS, "2018-02-26"), (ORDERS, "2018-02-28"), (ORDERS, "2018-03-01"))
    assert asyncio.run(missing(trigger(place, OF_HISTORY, seconds=0.7))) == [f"{RUNNING} 2018-02-28"]


def test_a_slice_that_anybody_makes_ends_the_wait(place):
    async def scenario():
        waiting = asyncio.create_task(missing(trigger(place, OF_ORDERS, OF_ITSELF)))
        await asyncio.sleep(0.6)
        assert not waiting.done()
        await asyncio.to_thread(publish, place, (ORDERS, "2018-03-01"))
        return await asyncio.wait_for(waiting, 10)

    assert asyncio.run(scenario()) == []


def test_a_wait_that_is_too_long_names_what_is_missing(place):
    publish(place, (ORDERS, "2018-02-28"))
    found = asyncio.run(missing(trigger(place, OF_ORDERS, OF_STOCK, seconds=0.7)))
    assert found == ["erp.orders 2018-03-01", "erp.clicks 2018-03-01T23"]


def test_a_hundred_runs_share_each_look(place, looked):
    async def scenario():
        days = [f"2018-{month:02d}-{day:02d}" for month in (3, 4, 5, 6) for day in range(1, 26)]
        waiting = [asyncio.create_task(missing(trigger(place, OF_ORDERS, OF_STOCK, ds=ds, seconds=90))) for ds in days]
        begun = time.monotonic()
        await asyncio.sleep(1)
        slices = [(table, ds) for day in days for table, ds in ((ORDERS, day), (CLICKS, f"{day}T23"))]
        await asyncio.to_thread(publish, place, *slices)
        found = await asyncio.wait_for(asyncio.gather(*waiting), 90)
        return found, time.monotonic() - begun

    found, took = asyncio.run(scenario())
    assert found == [[]] * 100
    # One session for all, which asks each table once; nobody looks again when all have gone.
    assert all(tables == [CLICKS, ORDERS] for tables in looked)
    assert len(looked) <= took / 0.2 + 1


@pytest.mark.parametrize(
    "failure",
    [
        OSError("connection refused"),
        Transient("the file is locked"),
        RuntimeError("ThrottlingException"),
        KeyError("ExpiredToken"),
        TimeoutError(),
    ],
)
def test_the_lookout_survives_any_failure_and_its_health_is_in_the_log(place, failure, monkeypatch, caplog):
    look, failures = triggers.look, iter([failure] * 3)

    def away(place, tables):
        for each in failures:
            raise each
        return look(place, tables)

    monkeypatch.setattr(triggers, "look", away)
    publish(place, (ORDERS, "2018-03-01"))
    waiting = trigger(place, OF_ORDERS)
    said = []
    monkeypatch.setattr(waiting.log, "warning", lambda text, *values: said.append(text % values))
    assert asyncio.run(missing(waiting)) == []
    assert [each.partition(" look")[0] for each in said] == ["1", "2", "3"]
    assert triggers.in_words(failure) in said[0]
    # Each pause is twice as long as the one before.
    assert [each.rpartition("next in ")[2] for each in said] == ["0 s", "1 s", "2 s"]


def test_a_look_that_never_ends_is_given_up(place, monkeypatch):
    looks = []

    def hangs(place, tables):
        looks.append(1)
        if len(looks) == 1:
            time.sleep(1.5)
        return {table: frozenset(["2018-03-01"]) for table in tables}

    monkeypatch.setattr(triggers, "look", hangs)
    monkeypatch.setattr(triggers, "LOOK_AT_MOST", 0.3)
    assert asyncio.run(missing(trigger(place, OF_ORDERS))) == []
    assert len(looks) == 2


def test_a_metastore_that_stays_away_is_said(place, monkeypatch):
    def away(place, tables):
        raise OSError("connection refused")

    monkeypatch.setattr(triggers, "look", away)
    found = asyncio.run(missing(trigger(place, OF_ORDERS, seconds=0.7)))
    assert found == ["an answer of the metastore (OSError: connection refused)"]
