from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dayslice.errors import Refused
from dayslice.rules.open_periods import VARIABLE, is_asked_for, refuse_open_period

NOON = datetime(2018, 3, 1, 12, 20, tzinfo=UTC)
AUCKLAND = ZoneInfo("Pacific/Auckland")


@pytest.mark.parametrize(
    ("ds", "zone", "end", "newest"),
    [
        ("2018-03-01", UTC, "2018-03-02 00:00 (UTC)", "2018-02-28"),
        ("2099-01-01", UTC, "2099-01-02 00:00 (UTC)", "2018-02-28"),
        ("2018-03-01T12", UTC, "2018-03-01 13:00 (UTC)", "2018-03-01T11"),
        ("2018-03-01T1215", UTC, "2018-03-01 12:30 (UTC)", "2018-03-01T1200"),
        # There it is the second of March already, and the first is over.
        ("2018-03-02", AUCKLAND, "2018-03-03 00:00 (Pacific/Auckland)", "2018-03-01"),
    ],
)
def test_a_period_that_is_not_over_is_refused_unless_it_is_asked_for(ds, zone, end, newest):
    with pytest.raises(Refused) as refused:
        refuse_open_period("orders", ds, zone, now=NOON)
    assert f"orders {ds} is not over before {end}" in str(refused.value)
    assert f"take {newest} or an earlier one, or say --open-period" in str(refused.value)
    refuse_open_period("orders", ds, zone, asked=True, now=NOON)


@pytest.mark.parametrize(("ds", "zone"), [("2018-02-28", UTC), ("2018-03-01T11", UTC), ("2018-03-01", AUCKLAND)])
def test_a_period_that_is_over_is_not(ds, zone):
    refuse_open_period("orders", ds, zone, now=NOON)


def test_the_last_day_of_the_calendar_is_refused_in_one_sentence():
    with pytest.raises(Exception, match="'9999-12-31' reaches beyond the calendar"):
        refuse_open_period("orders", "9999-12-31")


def test_an_hour_that_no_clock_shows_is_refused_even_when_asked_for():
    with pytest.raises(Refused, match="the clock of Europe/Berlin is put forward over it"):
        refuse_open_period("orders", "2018-03-25T02", ZoneInfo("Europe/Berlin"), asked=True)


def test_the_environment_asks():
    assert [is_asked_for({VARIABLE: each}) for each in ("1", "true", "", "0")] == [True, True, False, False]
    assert not is_asked_for({})
