import pytest

from dayslice.rules.calendar import Grain
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Slice, Table
from dayslice.rules.waits import Awaited, Wait, read_of_published, reads, wanted, wanted_of_itself

DAY, HOUR = Grain.DAY, Grain.HOUR
EVENTS, CUMULATIVE = Kind.EVENTS, Kind.CUMULATIVE


@pytest.mark.parametrize(
    ("ds", "grain", "kind", "offset", "periods", "expected"),
    [
        ("2018-03-01", DAY, EVENTS, 0, 1, ["2018-03-01"]),
        ("2018-03-01", DAY, EVENTS, -1, 1, ["2018-02-28"]),
        ("2018-03-01", DAY, EVENTS, 0, 3, ["2018-02-27", "2018-02-28", "2018-03-01"]),
        ("2018-03-01", DAY, EVENTS, -1, 2, ["2018-02-27", "2018-02-28"]),
        ("2018-03-01", HOUR, CUMULATIVE, 0, 1, ["2018-03-01T23"]),
        ("2018-03-01", HOUR, EVENTS, 0, 1, [f"2018-03-01T{h:02d}" for h in range(24)]),
        ("2018-03-01", HOUR, EVENTS, 0, 2, ["2018-03-01T22", "2018-03-01T23"]),
        ("2018-03-01T13", DAY, EVENTS, 0, 1, ["2018-03-01"]),
        ("2018-03-01T13", DAY, CUMULATIVE, -1, 1, ["2018-02-28"]),
        ("2018-03-01T00", HOUR, EVENTS, -1, 1, ["2018-02-28T23"]),
    ],
)
def test_a_table_reads_slices_of_the_upstream_s_grain(ds, grain, kind, offset, periods, expected):
    assert reads(ds, grain, kind, offset, periods) == expected


def test_a_range_is_clipped_at_the_start_and_one_slice_is_not():
    week = Wait("u", periods=7)
    assert wanted(week, "2018-03-03", DAY, EVENTS, lambda: "2018-03-02") == ["2018-03-02", "2018-03-03"]
    assert len(wanted(week, "2018-03-03", DAY, EVENTS, lambda: None)) == 7
    assert wanted(Wait("u"), "2018-03-01", DAY, EVENTS, lambda: "2018-03-02") == ["2018-03-01"]


def test_a_table_s_first_slice_waits_for_none_of_its_own():
    previous = Wait("u", offset=-1)
    assert wanted_of_itself(previous, "2018-03-01", lambda: None) == []
    assert wanted_of_itself(previous, "2018-03-01", lambda: "2018-03-01") == []
    assert wanted_of_itself(previous, "2018-03-02", lambda: "2018-03-01") == ["2018-03-01"]
    assert wanted_of_itself(Wait("u", -1, 7), "2018-03-04", lambda: "2018-03-02") == ["2018-03-02", "2018-03-03"]


@pytest.mark.parametrize(
    ("asof", "offset", "expected"),
    [
        ("ds", 0, ["2018-03-01"]),
        ("ds", -1, ["2018-03-01"]),
        ("ds", -4, ["2018-02-20"]),
        ("ds", -20, []),
        ("2018-02-20", 0, ["2018-02-20"]),
        ("2018-03-09T13", 0, ["2018-03-05"]),
    ],
)
def test_as_of_a_date_is_the_newest_published_slice(asof, offset, expected):
    published = {"2018-03-05", "2018-02-20", "2018-03-01"}
    wait = Wait("u", offset, 1, asof)
    assert read_of_published(wait, "2018-03-04", DAY, CUMULATIVE, published) == expected


def test_as_of_a_day_is_the_last_hour_in_it():
    wait = Wait("u", asof="ds")
    assert read_of_published(wait, "2018-03-01", HOUR, EVENTS, ["2018-03-01T23", "2018-03-02T00"]) == ["2018-03-01T23"]


def test_as_of_a_date_waits_until_there_is_a_slice_whatever_the_start_is():
    orders = Table("erp", "orders")
    each = Awaited(Wait("u", asof="ds"), orders, DAY, CUMULATIVE, start="2018-01-01")
    assert each.wanted("2018-03-01", lambda _: ["2018-03-02"]) == [Slice(orders, "2018-03-01")]
    assert each.wanted("2018-03-01", lambda _: ["2018-01-05", "2018-03-02"]) == [Slice(orders, "2018-01-05")]


def test_what_follows_a_table_has_a_slice_for_each_of_its_slices_since():
    own, snapshots = Table("s", "own"), Table("s", "snapshots")
    wait = Wait("own", -1, 1, "ds", "snapshots")
    each = Awaited(wait, own, DAY, CUMULATIVE, itself=True, followed=snapshots)
    days = {own: {"2018-03-01", "2018-03-07"}, snapshots: {"2018-02-28", "2018-03-01", "2018-03-03", "2018-03-06"}}
    assert each.wanted("2018-03-03", days.__getitem__) == [Slice(own, "2018-03-01")]
    assert each.wanted("2018-03-06", days.__getitem__) == [Slice(own, "2018-03-01"), Slice(own, "2018-03-03")]
    assert each.wanted("2018-02-28", days.__getitem__) == [], "its first"
