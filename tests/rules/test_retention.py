"""Which slices and versions may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, span
from dayslice.rules.retention import Policy, Reader, needed_by
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.rules.waits import Wait, reads

YEAR = span("2013-01-01", "2013-12-31")


def versions(*ids):
    return [Version(Slice(Table("a", "t"), "2013-01-01"), id, Receipt(rows=1)) for id in ids]


def test_without_a_policy_every_slice_stays():
    assert Policy.parse([]).expired(YEAR) == []
    assert Policy.parse(["keep 5 versions"]).expired(YEAR) == []


def test_days_count_from_the_newest_slice():
    assert Policy.parse(["90 days"]).expired(YEAR) == YEAR[:-90]
    assert Policy.parse(["1 day"]).expired(YEAR) == YEAR[:-1]
    hours = span("2013-01-01T00", "2013-01-03T05")
    assert Policy.parse(["2 days"]).expired(hours) == hours[:24]


def test_policies_are_a_union():
    left = set(YEAR) - set(Policy.parse(["10 days", "keep monthly"]).expired(YEAR))
    assert left == {*YEAR[-10:], "2013-01-31", "2013-02-28", "2013-03-31", "2013-04-30", "2013-05-31", "2013-06-30",
                    "2013-07-31", "2013-08-31", "2013-09-30", "2013-10-31", "2013-11-30"}  # fmt: skip
    assert len(set(YEAR) - set(Policy.parse(["keep weekly"]).expired(YEAR))) == 53
    assert Policy.parse(["keep yearly"]).expired(YEAR) == YEAR[:-1]


@pytest.mark.parametrize("wrong", ["90", "90 fortnights", "keep hourly", "keep 0 versions", "for ever", ""])
def test_an_unknown_policy_is_refused_with_what_may_be_written(wrong):
    with pytest.raises(UsageError, match="90 days"):
        Policy.parse([wrong])


def test_the_newest_versions_stay_and_the_published_one_always():
    kept = versions("v5", "v4", "v3", "v2", "v1")
    assert [each.id for each in Policy.parse(["keep 3 versions"]).surplus(kept, kept[0])] == ["v2", "v1"]
    rolled_back = Policy.parse(["keep 2 versions"]).surplus(kept, kept[4])
    assert [each.id for each in rolled_back] == ["v4", "v3", "v2"]
    assert Policy.parse(["keep 1 version"]).surplus(kept[:1], kept[0]) == []


def test_what_an_unbuilt_slice_reads_is_needed():
    upstream = span("2013-01-01", "2013-01-31")
    reader = Reader(Wait("t", 0, 7), set(upstream) - {"2013-01-10"}, [*upstream, "2013-02-01"])
    needed = needed_by([reader], lambda wait, ds: reads(ds, Grain.DAY, Kind.EVENTS, wait.offset, wait.periods))
    assert needed == {*span("2013-01-04", "2013-01-10"), *span("2013-01-26", "2013-02-01")}
    assert "2013-01-05" not in Policy.parse(["3 days"]).expired(upstream, needed)


@given(
    st.sets(st.sampled_from(YEAR), min_size=1),
    st.sets(st.sampled_from(YEAR)),
    st.lists(st.sampled_from(["1 day", "5 days", "2 weeks", "keep monthly", "keep weekly", "keep 2 versions"])),
)
def test_the_newest_and_what_is_needed_never_go_and_a_second_run_finds_nothing(published, needed, texts):
    policy = Policy.parse(texts)
    gone = set(policy.expired(published, needed))
    assert max(published) not in gone
    assert not gone & needed
    assert policy.expired(published - gone, needed) == []
