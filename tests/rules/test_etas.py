"""When a slice is usually there."""

from dayslice.rules.calendar import window
from dayslice.rules.etas import eta


def landed(minutes):
    """First publications so many minutes after the end of each day, which is the next midnight."""
    days = window("2013-03-01", len(minutes))
    return {
        ds: f"{after}T00:{minute:02}:00+00:00"
        for ds, after, minute in zip(days, window("2013-03-02", len(minutes)), minutes, strict=True)
    }


def test_the_usual_time_is_that_of_the_same_weekday():
    found = eta(landed([10] * 27 + [50]) | landed([10, 10, 10, 10, 10, 10, 40] * 4), "2013-03-08")
    assert found.same_weekday
    assert (found.of, f"{found.median:%m-%d %H:%M}", f"{found.p90:%H:%M}") == (4, "03-09 00:40", "00:40")


def test_of_a_short_history_all_days_say_more():
    found = eta(landed([10, 20, 30]), "2013-03-02")
    assert not found.same_weekday
    assert (found.of, f"{found.median:%m-%d %H:%M}", f"{found.p90:%H:%M}") == (3, "03-03 00:20", "00:30")


def test_what_a_backfill_made_long_after_says_nothing():
    assert eta({"2013-01-01": "2026-01-01T00:00:00+00:00", "2013-01-02": ""}, "2013-01-03") is None
