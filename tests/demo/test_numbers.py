"""Every number of the five models, of every ds, against a second computation from the data set's own files."""

from datetime import date, timedelta

import pytest

from tests.demo import expected
from tests.demo.conftest import DAYS

FIRST = date(2013, 1, 1)
SLICES = [FIRST + timedelta(days=n) for n in range(DAYS)]
MODELS = {
    "flights_flat": (lambda day: expected.flights_flat()[day], ["flight_id"]),
    "airport_daily": (expected.airport_daily, ["airport"]),
    "carrier_metrics": (lambda day: expected.carrier_metrics(day, FIRST), ["carrier"]),
    "route_delays_7d": (lambda day: expected.route_delays_7d(day, FIRST), ["origin", "dest"]),
    "company_metrics": (lambda day: expected.company_metrics(day, FIRST), ["metric_date"]),
}


def differences(columns, found, wanted):
    """The rows that differ, as (found, wanted) of the columns that do."""
    for have, want in zip(found, wanted, strict=False):
        if have != want:
            yield {name: pair for name, *pair in zip(columns, have, want, strict=True) if pair[0] != pair[1]}


@pytest.mark.parametrize("model", MODELS)
def test_every_number_of_every_slice_is_right(demo, model):
    compute, key = MODELS[model]
    for day in SLICES:
        result = demo.query(f"select * from analytics.{model} where ds = ? order by {', '.join(key)}", str(day))
        columns = [column[0] for column in result.description]
        found = result.fetchall()
        rows = sorted(compute(day), key=lambda row: tuple(row[name] for name in key))
        assert columns == [*rows[0], "ds"]
        wanted = [(*row.values(), str(day)) for row in rows]
        assert not list(differences(columns, found, wanted))
        assert len(found) == len(wanted)


@pytest.mark.parametrize("model", MODELS)
def test_the_latest_view_is_the_newest_slice(demo, model):
    newest = demo.query(f"select * from analytics.{model} where ds = '{SLICES[-1]}' order by all").fetchall()
    assert demo.query(f"select * from analytics.{model}_latest order by all").fetchall() == newest


def test_a_snapshot_holds_what_the_source_knew_at_the_end_of_its_day(demo):
    for day in SLICES:
        found = demo.query("select tailnum from erp.planes where ds = ?", str(day)).fetchall()
        assert {tailnum for (tailnum,) in found} == expected.registered_planes(day)
        assert len(found) == len(expected.registered_planes(day))


@pytest.mark.parametrize("name, rows", [("airlines", 16), ("airports", 1458)])
def test_a_table_that_does_not_change_is_whole_in_every_slice(demo, name, rows):
    counts = demo.query(f"select ds, count(*) from erp.{name} group by ds order by ds").fetchall()
    assert counts == [(str(day), rows) for day in SLICES]


def test_an_evening_s_flights_and_weather_belong_to_new_york_s_date(demo):
    late = "select count(*) from erp.{} where ds = '2013-01-05' and cast(time_hour as varchar) >= '2013-01-06'"
    assert demo.query(late.format("flights")).fetchone()[0] > 0
    assert demo.query(late.format("weather")).fetchone()[0] > 0
