"""What a ds means where clocks are put back and forward: one table of days in five zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pendulum
import pytest

from dayslice.rules.calendar import (
    Grain,
    bounds,
    cover,
    ds_at,
    exists,
    is_over,
    is_split,
    last_complete,
    shift,
    span,
    wall_bounds,
    window,
)
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Slice, Table
from dayslice.rules.waits import Awaited, Wait

# The day, its hours and quarters that exist, and those hours that the clock leaps over or shows for longer than one.
DAYS = [
    ("Europe/Berlin", "2018-03-25", 23, 92, {"2018-03-25T02": 0}),
    ("Europe/Berlin", "2018-10-28", 24, 96, {"2018-10-28T02": 120}),
    ("America/New_York", "2018-03-11", 23, 92, {"2018-03-11T02": 0}),
    ("America/New_York", "2018-11-04", 24, 96, {"2018-11-04T01": 120}),
    ("Australia/Lord_Howe", "2018-10-07", 24, 94, {"2018-10-07T02": 30}),
    ("Australia/Lord_Howe", "2018-04-01", 24, 96, {"2018-04-01T01": 90}),
    # Midnight itself is leapt over, and the last hour of a day is shown twice.
    ("America/Sao_Paulo", "2018-11-04", 23, 92, {"2018-11-04T00": 0}),
    ("America/Sao_Paulo", "2018-02-17", 24, 96, {"2018-02-17T23": 120}),
    # A whole day that Samoa never had, when it moved over the date line.
    ("Pacific/Apia", "2011-12-29", 24, 96, {}),
    ("Pacific/Apia", "2011-12-31", 24, 96, {}),
]
CHANGES = [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in DAYS]


def minutes(ds, zone):
    start, end = bounds(ds, zone)
    return (end - start) // timedelta(minutes=1)


def instants(day, zone):
    """Each minute of a day, as UTC."""
    start, end = bounds(day, zone)
    return [start + timedelta(minutes=n) for n in range((end - start) // timedelta(minutes=1))]


@pytest.mark.parametrize(("name", "day", "hours", "quarters", "odd"), CHANGES)
def test_the_hours_and_quarters_of_a_day(name, day, hours, quarters, odd):
    zone = ZoneInfo(name)
    assert [len(cover(day, grain, zone)) for grain in (Grain.HOUR, Grain.QUARTER_HOUR)] == [hours, quarters]
    found = {ds: minutes(ds, zone) for ds in cover(day, Grain.HOUR)}
    assert {ds: length for ds, length in found.items() if length != 60} == odd
    assert sum(found.values()) == len(instants(day, zone)), "and no minute is lost"
    for ds, length in odd.items():
        assert exists(ds, zone) is bool(length)


@pytest.mark.parametrize(("name", "day", "hours", "quarters", "odd"), CHANGES)
def test_each_minute_belongs_to_the_ds_that_the_clock_shows_and_lies_in_its_bounds(name, day, hours, quarters, odd):
    zone = ZoneInfo(name)
    for grain in Grain:
        shown = {}
        for instant in instants(day, zone):
            ds = ds_at(instant, grain, zone)
            assert ds == ds_at(pendulum.instance(instant), grain, zone)
            start, end = bounds(ds, zone)
            assert start <= instant < end
            assert not is_over(ds, zone, instant)
            assert is_over(last_complete(instant, grain, zone), zone, instant)
            shown.setdefault(ds, []).append(instant)
        assert list(shown) == cover(day, grain, zone), "all that exist, and no other"
        for ds, moments in shown.items():
            # Over when the clock has shown it for the last time, and not a minute later.
            assert (moments[0], moments[-1] + timedelta(minutes=1)) == bounds(ds, zone)
            assert is_split(ds, zone) is (len(moments) < minutes(ds, zone))


@pytest.mark.parametrize(("name", "day", "hours", "quarters", "odd"), CHANGES)
def test_a_time_without_a_zone_belongs_to_one_ds(name, day, hours, quarters, odd):
    zone = ZoneInfo(name)
    for grain in Grain:
        walls = [wall_bounds(ds, zone) for ds in span(shift(day, -1, zone), shift(day, 1, zone), zone)]
        for (_, end), (start, _) in pairwise(walls):
            assert end == start
        for ds in cover(day, grain, zone):
            assert shift(shift(ds, -1, zone), 1, zone) == ds
            assert exists(shift(ds, 1, zone), zone)


def test_what_is_leapt_over_is_no_period_anywhere():
    berlin, apia = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
    assert shift("2018-03-25T03", -1, berlin) == "2018-03-25T01"
    assert shift("2018-03-25T01", 2, berlin) == "2018-03-25T04"
    assert shift("2018-03-25T04", -27, berlin) == "2018-03-24T00"
    assert window("2018-03-25T0300", 3, berlin) == ["2018-03-25T0130", "2018-03-25T0145", "2018-03-25T0300"]
    assert not exists("2011-12-30", apia)
    assert span("2011-12-29", "2012-01-01", apia) == ["2011-12-29", "2011-12-31", "2012-01-01"]
    assert shift("2011-12-31", -1, apia) == "2011-12-29"


def test_an_hour_that_is_repeated_is_over_after_the_second_time():
    berlin = ZoneInfo("Europe/Berlin")
    first, second = datetime(2018, 10, 28, 1, 5, tzinfo=UTC), datetime(2018, 10, 28, 2, 5, tzinfo=UTC)
    assert last_complete(first, Grain.HOUR, berlin) == "2018-10-28T01"
    assert last_complete(second, Grain.HOUR, berlin) == "2018-10-28T02"
    assert last_complete(datetime(2018, 10, 28, 1, 14, tzinfo=UTC), Grain.QUARTER_HOUR, berlin) == "2018-10-28T0145"
    assert last_complete(datetime(2018, 10, 28, 1, 15, tzinfo=UTC), Grain.QUARTER_HOUR, berlin) == "2018-10-28T0200"


def test_a_day_waits_for_the_hours_that_there_are():
    clicks = Table("erp", "clicks")
    berlin = ZoneInfo("Europe/Berlin")
    events = Awaited(Wait("clicks"), clicks, Grain.HOUR, Kind.EVENTS)
    before = Awaited(Wait("clicks", -1), clicks, Grain.HOUR, Kind.CUMULATIVE, itself=True)
    wanted = events.wanted("2018-03-25", lambda _: (), berlin)
    assert len(wanted) == 23
    assert Slice(clicks, "2018-03-25T02") not in wanted
    assert before.wanted("2018-03-25T03", lambda _: {"2018-01-01T00"}, berlin) == [Slice(clicks, "2018-03-25T01")]
