from datetime import timedelta

import pytest

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain
from dayslice.rules.schedules import cron_of, duration_of, offset_in_period


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
        ("0 */6 * * *", "day", "more than once in 2018-01-01"),
        ("*/10 * * * *", "15min", "more than once in 2018-01-01T00"),
        ("*/15 * * * *", "hour", "more than once in 2018-01-01T00"),
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


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [("30 0 * * *", 30), ("5 * * * *", 5), ("2-59/15 * * * *", 2), ("0 3 * * 2", 180)],
)
def test_where_in_its_period_a_run_has_its_logical_date(cron, minutes):
    assert offset_in_period(cron) == timedelta(minutes=minutes)
