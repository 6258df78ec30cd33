from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, bounds
from dayslice.rules.schedules import cron_of, duration_of, late_after_of, late_at, shortest_period


@pytest.mark.parametrize("grain", Grain)
def test_the_default_runs_once_a_period(grain):
    assert cron_of(cron_of(None, grain), grain) == cron_of(None, grain)


@pytest.mark.parametrize(
    ("cron", "grain"),
    [
        ("0 3 * * *", "day"),
        ("0 3 * * 1-5", "day"),
        ("59 * * * *", "hour"),
        ("0 22 1 * *", "day"),
        ("*/15 * * * *", "15min"),
        ("0 6 * * mon-fri", "day"),
        ("0 6 l * *", "day"),
        ("0 0 29 2 *", "day"),
        ("0 6 * JAN sun#1", "day"),
    ],
)
def test_cron_lines_that_run_at_most_once_a_period(cron, grain):
    assert cron_of(cron, Grain(grain)) == cron


@pytest.mark.parametrize(
    ("cron", "grain", "said"),
    [
        ("daily", "day", "no cron line"),
        ("0 3 * *", "day", "no cron line"),
        ("0 0 3 * * *", "day", "no cron line"),
        ("61 * * * *", "hour", "no cron line"),
        ("0 */6 * * *", "day", "more than once for 2017-12-31"),
        ("*/10 * * * *", "15min", "more than once for 2018-01-01T0015"),
        ("*/15 * * * *", "hour", "more than once for 2017-12-31T23"),
        ("0 0 31 2 *", "day", "never comes"),
        ("0 0 30 feb *", "day", "never comes"),
        ("R R * * *", "day", "no cron line"),
        ("H 3 * * *", "day", "no cron line"),
    ],
)
def test_cron_lines_that_are_refused(cron, grain, said):
    with pytest.raises(UsageError, match=said):
        cron_of(cron, Grain(grain))


@pytest.mark.parametrize(
    ("text", "seconds"), [("6h", 21600), ("90m", 5400), ("1h30m", 5400), ("3 days", 259200), ("2 hours", 7200)]
)
def test_durations(text, seconds):
    assert duration_of(text, "late_after") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "6", 6, "-6h", "0h", None, "90 parsecs"])
def test_durations_that_are_refused(text):
    with pytest.raises(UsageError, match=r"late_after: .* is no duration: write it as 6h"):
        duration_of(text, "late_after")


@pytest.mark.parametrize("text", ["400 days", "99999999 days", "9999999999h"])
def test_durations_beyond_sense_are_refused(text):
    with pytest.raises(UsageError, match=r"late_after: .* is more than a year"):
        duration_of(text, "late_after")


@pytest.mark.parametrize(
    ("cron", "longest"),
    [("30 0 * * *", 30), ("0 6 * * 1", 360), ("0 3 1 * *", 180), ("0 6 * * mon-fri", 360), ("0 0 * * *", 0)],
)
def test_a_slice_cannot_be_late_before_its_run_begins(cron, longest):
    assert late_after_of(f"{longest + 1}m", cron, Grain.DAY) == timedelta(minutes=longest + 1)
    if longest:
        with pytest.raises(UsageError, match=r"late_after: .* is over before its run begins"):
            late_after_of(f"{longest}m", cron, Grain.DAY)


@pytest.mark.parametrize(
    ("zone", "grain", "shortest"),
    [
        ("UTC", Grain.DAY, timedelta(days=1)),
        ("Asia/Tokyo", Grain.DAY, timedelta(days=1)),
        ("America/New_York", Grain.DAY, timedelta(hours=23)),
        ("Australia/Lord_Howe", Grain.DAY, timedelta(hours=23, minutes=30)),
        ("America/New_York", Grain.HOUR, timedelta(hours=1)),
        ("Australia/Lord_Howe", Grain.HOUR, timedelta(minutes=30)),
        ("America/New_York", Grain.QUARTER_HOUR, timedelta(minutes=15)),
    ],
)
def test_a_late_alert_counts_from_the_shortest_period(zone, grain, shortest):
    assert shortest_period(grain, ZoneInfo(zone), 2018) == shortest


def test_late_is_counted_from_the_end_of_each_day():
    zone = ZoneInfo("America/New_York")
    lengths = [late_at(ds, "6h", zone) - bounds(ds, zone)[0] for ds in ("2018-03-11", "2018-03-12", "2018-11-04")]
    assert lengths == [timedelta(hours=29), timedelta(hours=30), timedelta(hours=31)]
