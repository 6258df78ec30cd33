"""Missing, late, due, not due and expired are told apart, against what the schedule asks for by now."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dayslice.rules.calendar import Grain, span
from dayslice.rules.slices import Receipt, Slice, Version
from dayslice.rules.states import State, expected_of, let_go, problems_of, state_of, states_of
from tests.rules.test_plan import table

NOON = datetime(2013, 1, 10, 12, tzinfo=UTC)


def state(node, ds, stands, now=NOON, zone=UTC):
    return state_of(node, ds, stands, expected_of(node, stands, now, zone), let_go(node, [ds], stands))


def test_a_gap_is_missing_and_what_comes_after_the_newest_is_late():
    stands = ["2013-01-01", "2013-01-02", "2013-01-04"]
    assert state(table("t"), "2013-01-03", stands) is State.MISSING
    assert state(table("t"), "2013-01-05", stands) is State.LATE
    assert problems_of(table("t"), stands, NOON, UTC) == {
        State.MISSING: ["2013-01-03"],
        State.LATE: ["2013-01-05", "2013-01-06", "2013-01-07", "2013-01-08"],
    }


def test_the_newest_slice_is_due_and_todays_is_not():
    stands = span("2013-01-01", "2013-01-08")
    assert state(table("t"), "2013-01-09", stands) is State.DUE
    assert state(table("t"), "2013-01-10", stands) is State.NOT_DUE
    assert problems_of(table("t"), stands, NOON, UTC) == {}


@pytest.mark.parametrize("late_after", [None, "60h"])
@pytest.mark.parametrize("stands", [[], ["2013-01-03"], ["2013-01-02", "2013-01-05"], span("2013-01-01", "2013-01-09")])
def test_all_problems_of_a_table_are_those_of_its_slices_one_by_one(late_after, stands):
    node = table("t", start="2013-01-01", late_after=late_after, retention=("4 days",))
    each = {ds: state(node, ds, stands) for ds in span("2013-01-01", "2013-01-11") if ds not in stands}
    expected = {}
    for ds, found in each.items():
        if found is not None and found.is_problem:
            expected.setdefault(found, []).append(ds)
    assert problems_of(node, stands, NOON, UTC) == expected


@pytest.mark.parametrize(("late_after", "late"), [("6h", True), ("11h", True), ("13h", False)])
def test_late_after_counts_from_the_periods_end(late_after, late):
    stands = span("2013-01-01", "2013-01-08")
    found = problems_of(table("t", late_after=late_after), stands, NOON, UTC)
    assert found == ({State.LATE: ["2013-01-09"]} if late else {})


def test_before_its_run_begins_a_slice_is_not_due():
    before = datetime(2013, 1, 10, 0, 10, tzinfo=UTC)
    assert state(table("t"), "2013-01-09", span("2013-01-01", "2013-01-08"), before) is State.NOT_DUE


def test_a_weekly_schedule_expects_one_ds_a_week():
    weekly = table("t", schedule="0 6 * * mon")
    stands = ["2012-12-23", "2012-12-30"]
    assert state(weekly, "2012-12-25", stands) is None
    assert problems_of(weekly, stands, NOON, UTC) == {}
    assert problems_of(weekly, ["2012-12-16", "2012-12-30"], NOON, UTC) == {State.MISSING: ["2012-12-23"]}


def test_what_retention_let_go_is_expired():
    kept = table("t", retention=("3 days",), start="2013-01-01")
    stands = span("2013-01-07", "2013-01-09")
    assert state(kept, "2013-01-05", stands) is State.EXPIRED
    assert problems_of(kept, stands, NOON, UTC) == {}


def test_an_hourly_table_in_a_time_zone():
    hourly = table("t", grain=Grain.HOUR)
    now = datetime(2013, 1, 10, 12, 30, tzinfo=UTC)
    zone = ZoneInfo("Europe/Vienna")
    stands = span("2013-01-10T08", "2013-01-10T10")
    assert problems_of(hourly, stands, now, zone) == {State.LATE: ["2013-01-10T11"]}
    assert state(hourly, "2013-01-10T12", stands, now, zone) is State.DUE
    assert state(hourly, "2013-01-10T13", stands, now, zone) is State.NOT_DUE


def test_a_table_that_was_never_made_is_late_only_from_its_start():
    assert problems_of(table("t"), [], NOON, UTC) == {}
    assert problems_of(table("t", start="2013-01-07"), [], NOON, UTC) == {State.LATE: ["2013-01-07", "2013-01-08"]}
    assert problems_of(table("t", start="2014-01-01"), [], NOON, UTC) == {}


def test_after_its_end_nothing_is_expected_and_its_last_slice_can_be_late():
    ended = table("t", end="2013-01-05")
    assert state(ended, "2013-01-06", span("2013-01-01", "2013-01-05")) is None
    assert problems_of(ended, span("2013-01-01", "2013-01-05"), NOON, UTC) == {}
    assert problems_of(ended, span("2013-01-01", "2013-01-04"), NOON, UTC) == {State.LATE: ["2013-01-05"]}


def test_each_state_is_told_apart():
    slices, node = span("2013-01-01", "2013-01-11"), table("t", start="2013-01-02")
    rows = {"2013-01-02": 1, "2013-01-03": 0, "2013-01-04": 1, "2013-01-06": 1}
    versions = {ds: Version(Slice(node.table, ds), "v", Receipt(rows=n)) for ds, n in rows.items()}
    found = states_of(node, slices, versions, list(rows), NOON, UTC, stale={"2013-01-04"}, refused={"2013-01-07"})
    assert "".join(found[ds].letter if ds in found else "." for ds in slices) == ".PESMPRLDNN"
    assert len({state.letter for state in State}) == len(State)


def test_what_was_refused_is_a_problem_of_its_own():
    found = problems_of(table("t"), ["2013-01-01", "2013-01-03"], NOON, UTC, refused=["2013-01-02", "2013-01-04"])
    assert found[State.REFUSED] == ["2013-01-02", "2013-01-04"]
    assert State.MISSING not in found
    assert found[State.LATE][0] == "2013-01-05"
