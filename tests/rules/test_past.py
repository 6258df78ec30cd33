"""What was published of a slice at a moment, by what is kept of it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dayslice.errors import UsageError
from dayslice.rules.past import Kept, Then, moment_of, then_published

FIRST = "2018-03-01T02:00:00+00:00"
NOW = datetime(2018, 4, 1, tzinfo=UTC)


def kept(number, day, is_published=False):
    return Kept(f"v{number}", number, f"2018-03-{day:02}T02:00:00+00:00", FIRST, is_published)


def at(day):
    return datetime(2018, 3, day, 9, tzinfo=UTC)


def test_the_newest_that_was_published_by_then():
    versions = [kept(1, 1), kept(2, 5), kept(3, 9, is_published=True)]
    found = [then_published(versions, at(day)).id for day in (1, 4, 5, 8, 9, 20)]
    assert found == ["v1", "v1", "v2", "v2", "v3", "v3"]
    assert then_published(versions, datetime(2018, 2, 28, tzinfo=UTC)) == Then(None)


def test_what_is_not_kept_any_more_is_lost_and_not_taken_for_nothing():
    versions = [kept(3, 9), kept(4, 12, is_published=True)]
    assert then_published(versions, at(5)) == Then(None, is_lost=True, since=versions[0].finished)
    assert then_published(versions, at(10)) == Then("v3", since=versions[0].finished)
    assert then_published(versions, datetime(2018, 2, 28, tzinfo=UTC)).is_lost is False


def test_a_version_that_is_gone_in_between_makes_its_time_unknown():
    versions = [kept(1, 1), kept(3, 9, is_published=True)]
    assert then_published(versions, at(5)) == Then(None, is_lost=True, since=versions[1].finished)
    assert then_published(versions, at(5), is_numbered_closely=False).id == "v1"
    assert then_published(versions, at(9)).id == "v3"


def test_of_a_rollback_nobody_knows_when_it_was():
    versions = [kept(1, 1), kept(2, 5, is_published=True), kept(3, 9)]
    assert then_published(versions, at(6)) == Then("v2")
    assert then_published(versions, at(10)) == Then("v2", was_rolled_back=True)


def test_a_receipt_of_before_tells_by_its_number():
    (old,) = [Kept("v4", 4, "2018-03-09T02:00:00+00:00", "", True)]
    assert then_published([old], at(5)).is_lost
    assert then_published([Kept("v1", 1, old.finished, "", True)], at(5)) == Then(None)


def test_a_moment_is_in_the_project_s_zone_and_past():
    zone = ZoneInfo("Europe/Vienna")
    assert moment_of("2018-03-03 09:00", zone, NOW) == datetime(2018, 3, 3, 8, tzinfo=UTC)
    assert moment_of("2018-03-03T09:00+00:00", zone, NOW) == datetime(2018, 3, 3, 9, tzinfo=UTC)
    with pytest.raises(UsageError, match="is no moment: write it as in '2018-03-03 09:00'"):
        moment_of("yesterday", zone, NOW)
    with pytest.raises(UsageError, match="is still to come"):
        moment_of("2018-05-01", zone, NOW)
