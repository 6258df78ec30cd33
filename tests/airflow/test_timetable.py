"""When runs begin, and for which ds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.utils.types import DagRunType
from dayslice_airflow.timetable import CATCH_UP, SliceTimetable

from dayslice.rules.calendar import Grain, bounds, is_over, span
from dayslice.rules.schedules import DEFAULT_CRON

NOW = pendulum.datetime(2018, 3, 10, 12)  # a Saturday
EVER = TimeRestriction(pendulum.datetime(1970, 1, 1), None, catchup=False)
DAILY = SliceTimetable("30 0 * * *", "UTC")


@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr("dayslice_airflow.timetable.utcnow", lambda: NOW)


def backfilled(timetable, first, last):
    """The runs of a backfill, which asks with catchup."""
    asked = TimeRestriction(pendulum.instance(first), pendulum.instance(last), catchup=True)
    found, before = [], None
    while info := timetable.next_dagrun_info(last_automated_data_interval=before, restriction=asked):
        found.append(info)
        before = info.data_interval
    return found


def until_now(timetable, last):
    """The ds of the runs that are due, as the scheduler asks for them."""
    found = []
    while (info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=EVER)).run_after <= NOW:
        found.append(timetable.ds_of(info.logical_date))
        last = info.data_interval
    return found


def test_the_first_run_is_of_the_last_period(noon):
    assert until_now(DAILY, None) == ["2018-03-09"]


def test_after_an_outage_no_period_is_left_out(noon):
    assert until_now(DAILY, DAILY.interval("2018-03-06")) == ["2018-03-07", "2018-03-08", "2018-03-09"]
    # As an Airflow remembers it whose runs' intervals went from one time of the cron line to the next.
    before = DataInterval(pendulum.datetime(2018, 3, 6, 0, 30), pendulum.datetime(2018, 3, 7, 0, 30))
    assert until_now(DAILY, before) == ["2018-03-07", "2018-03-08", "2018-03-09"]


def test_what_stood_still_for_long_makes_up_for_the_last_days_only(noon):
    assert len(until_now(DAILY, DAILY.interval("2017-03-06"))) == CATCH_UP.days


def test_a_rare_schedule_makes_up_for_its_last_time_however_long_ago(noon):
    monthly = SliceTimetable("0 6 1 * *", "UTC")
    assert until_now(monthly, monthly.interval("2017-12-31")) == ["2018-02-28"]


def test_a_backfill_of_the_past_has_every_period_that_is_asked_for():
    runs = backfilled(DAILY, datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 7, 23, 59, 59, tzinfo=UTC))
    assert [DAILY.ds_of(run.logical_date) for run in runs] == span("2013-01-01", "2013-01-07")


@pytest.mark.parametrize(
    ("cron", "ds"),
    [
        (
            "30 0 * * *",
            ["2018-03-03", "2018-03-04", "2018-03-05", "2018-03-06", "2018-03-07", "2018-03-08", "2018-03-09"],
        ),
        # Weekly, on Monday: the Sunday before. Monthly: the last day of the month.
        ("0 6 * * 1", ["2018-03-04"]),
        ("0 6 1 * *", ["2018-02-28"]),
        # On Monday the Sunday, and the Friday's slice is nobody's.
        ("0 6 * * mon-fri", ["2018-03-04", "2018-03-05", "2018-03-06", "2018-03-07", "2018-03-08"]),
        ("0 22 * * 2,4", ["2018-03-05", "2018-03-07"]),
    ],
)
def test_a_run_has_the_newest_period_that_is_over_and_is_late_after_that_one(cron, ds):
    timetable = SliceTimetable(cron, "UTC")
    runs = backfilled(timetable, datetime(2018, 2, 28, tzinfo=UTC), datetime(2018, 3, 9, 23, tzinfo=UTC))
    assert [timetable.ds_of(run.logical_date) for run in runs][-len(ds) :] == ds
    for run in runs:
        assert timedelta() <= run.run_after - run.data_interval.end < timedelta(days=1)


@pytest.mark.parametrize("grain", Grain)
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Europe/Berlin", "2018-03-24", "2018-03-26"),
        ("Europe/Berlin", "2018-10-27", "2018-10-29"),
        ("America/New_York", "2018-11-03", "2018-11-05"),
        ("Australia/Lord_Howe", "2018-03-31", "2018-04-02"),
        ("Australia/Lord_Howe", "2018-10-06", "2018-10-08"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-19"),
        ("America/Sao_Paulo", "2018-11-03", "2018-11-05"),
        ("Pacific/Apia", "2011-12-28", "2012-01-01"),
    ],
)
def test_where_clocks_change_each_period_that_there_is_has_one_run_when_it_is_over(grain, name, first, last):
    zone = ZoneInfo(name)
    timetable = SliceTimetable(DEFAULT_CRON[grain], name, grain.value)
    begin, end = bounds(first, zone)[0], bounds(last, zone)[1] - timedelta(seconds=1)
    runs = backfilled(timetable, begin, end)
    written = {Grain.DAY: "", Grain.HOUR: "T00", Grain.QUARTER_HOUR: "T0000"}[grain]
    to = {Grain.DAY: "", Grain.HOUR: "T23", Grain.QUARTER_HOUR: "T2345"}[grain]
    assert [timetable.ds_of(run.logical_date) for run in runs] == span(first + written, last + to, zone)
    for run in runs:
        ds = timetable.ds_of(run.logical_date)
        assert (run.data_interval.start, run.data_interval.end) == bounds(ds, zone)
        assert is_over(ds, zone, run.run_after)
        assert run.run_after - run.data_interval.end < timedelta(hours=2)


def test_a_scheduled_run_is_named_by_its_ds():
    info = DagRunInfo(NOW, DAILY.interval("2018-03-09"))
    for kind, name in ((DagRunType.SCHEDULED, "scheduled"), (DagRunType.BACKFILL_JOB, "backfill")):
        made = DAILY.generate_run_id(run_type=kind, run_after=info.run_after, data_interval=info.data_interval)
        assert made == f"{name}__2018-03-09"
    # What a person triggers may have another ds than that of its time.
    made = DAILY.generate_run_id(run_type=DagRunType.MANUAL, run_after=NOW, data_interval=info.data_interval)
    assert made == f"manual__{NOW.isoformat()}"


def test_a_table_that_has_ended_has_no_more_runs(noon):
    ended = TimeRestriction(EVER.earliest, pendulum.datetime(2013, 12, 31), catchup=False)
    assert DAILY.next_dagrun_info(last_automated_data_interval=None, restriction=ended) is None
