from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dayslice.errors import UsageError
from dayslice.rules.calendar import (
    Grain,
    bounds,
    containing,
    cover,
    grain_of,
    last_complete,
    parse_ds,
    shift,
    span,
    window,
)


@pytest.mark.parametrize(
    ("ds", "periods", "expected"),
    [
        ("2018-03-01", -1, "2018-02-28"),
        ("2016-03-01", -1, "2016-02-29"),
        ("2000-02-28", 1, "2000-02-29"),
        ("1900-02-28", 1, "1900-03-01"),
        ("2018-12-31", 1, "2019-01-01"),
        ("2018-01-31", 31, "2018-03-03"),
        ("2018-03-01T00", -1, "2018-02-28T23"),
        ("2018-12-31T23", 1, "2019-01-01T00"),
        ("2018-03-01T0000", -1, "2018-02-28T2345"),
        ("2018-03-01T1315", 3, "2018-03-01T1400"),
        ("0999-12-31", 1, "1000-01-01"),
        ("2018-03-01", 0, "2018-03-01"),
    ],
)
def test_shift_counts_periods_of_the_own_grain(ds, periods, expected):
    assert shift(ds, periods) == expected


@pytest.mark.parametrize(
    "wrong",
    ["2013-02-30", "13-1-5", "", "2013-01-05T24", "2013-01-05T1310", "2013-01-05 13", "2013-1-05", "\u0662013-01-05"],
)
def test_what_is_no_ds_is_refused_in_one_line(wrong):
    with pytest.raises(UsageError) as refused:
        parse_ds(wrong)
    assert repr(wrong) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_yaml_makes_a_date_of_a_ds_and_it_is_taken():
    assert parse_ds(date(2013, 1, 5)) == "2013-01-05"


def test_an_hour_for_a_daily_table_is_refused():
    with pytest.raises(UsageError, match="grain hour; this needs day"):
        parse_ds("2013-01-05T13", Grain.DAY)


def test_leaving_the_calendar_is_refused():
    with pytest.raises(UsageError, match="leaves the calendar"):
        shift("9999-12-31", 1)


def test_windows_and_spans_end_with_their_ds():
    assert window("2016-03-01", 3) == ["2016-02-28", "2016-02-29", "2016-03-01"]
    assert span("2018-02-27", "2018-03-01") == ["2018-02-27", "2018-02-28", "2018-03-01"]
    assert span("2018-03-01", "2018-02-27") == []
    with pytest.raises(UsageError):
        window("2018-03-01", 0)


def test_a_day_is_covered_by_its_hours_and_an_hour_by_its_day():
    assert cover("2018-03-01", Grain.HOUR) == [f"2018-03-01T{h:02d}" for h in range(24)]
    assert cover("2018-03-01T13", Grain.QUARTER_HOUR) == [f"2018-03-01T13{m:02d}" for m in (0, 15, 30, 45)]
    assert cover("2018-03-01T13", Grain.DAY) == ["2018-03-01"]
    assert cover("2018-03-01", Grain.DAY) == ["2018-03-01"]


def test_labels_sort_as_text_and_tell_their_grain():
    for grain in Grain:
        labels = [shift(grain.example, n) for n in range(-100, 100)]
        assert labels == sorted(labels)
        assert {grain_of(label) for label in labels} == {grain}


@pytest.mark.parametrize("ds", ["2018-03-25", "2018-10-28", "2018-03-25T02", "2018-10-28T02", "2018-03-25T0215"])
def test_consecutive_bounds_meet_where_clocks_change(ds):
    berlin = ZoneInfo("Europe/Berlin")
    assert bounds(ds, berlin)[1] == bounds(shift(ds, 1), berlin)[0]
    assert bounds(ds, berlin)[0] <= bounds(ds, berlin)[1]


def test_bounds_are_half_open_utc_instants():
    assert bounds("2018-03-01") == (datetime(2018, 3, 1, tzinfo=UTC), datetime(2018, 3, 2, tzinfo=UTC))
    new_york = ZoneInfo("America/New_York")
    assert bounds("2018-03-01", new_york)[0] == datetime(2018, 3, 1, 5, tzinfo=UTC)


def test_the_last_complete_slice_is_over():
    new_york = ZoneInfo("America/New_York")
    now = datetime(2018, 3, 1, 3, 20, tzinfo=UTC)  # 22:20 the day before in New York
    assert last_complete(now, Grain.DAY) == "2018-02-28"
    assert last_complete(now, Grain.DAY, new_york) == "2018-02-27"
    assert last_complete(now, Grain.QUARTER_HOUR) == "2018-03-01T0300"
    assert containing(now, Grain.QUARTER_HOUR) == "2018-03-01T0315"
