"""What stands on something that was made anew: own later slices, ranges, other grains, whatever is between."""

from dataclasses import replace

from dayslice.rules.calendar import Grain, span
from dayslice.rules.plan import make_plan, ranges
from dayslice.rules.settings import Kind
from dayslice.rules.stale import made_stale, readers_of
from dayslice.rules.waits import Wait
from tests.rules.test_plan import made, table

DAYS = span("2013-01-01", "2013-01-10")


def reading(node, *waits):
    return replace(node, waits=waits)


def project(*nodes):
    return {node.unique_id: node for node in nodes}


def standing(*nodes, days=DAYS):
    return {node.table: set(days) for node in nodes}


def test_own_later_slices_are_stale():
    total = reading(table("total"), Wait("model.p.total", -1))
    found = made_stale(project(total), [("model.p.total", "2013-01-05")], standing(total))
    assert [ds for _, ds in found] == span("2013-01-06", "2013-01-10")
    assert found["model.p.total", "2013-01-06"] == ("model.p.total", "2013-01-05")


def test_a_gap_ends_the_chain():
    total = reading(table("total"), Wait("model.p.total", -1))
    days = ["2013-01-05", "2013-01-06", "2013-01-08"]
    found = made_stale(project(total), [("model.p.total", "2013-01-05")], standing(total, days=days))
    assert [ds for _, ds in found] == ["2013-01-06"]


def test_a_range_reads_days_after():
    flat = table("flat")
    week = reading(table("week"), Wait("model.p.flat", 0, 7))
    found = made_stale(project(flat, week), [("model.p.flat", "2013-01-02")], standing(flat, week))
    assert [ds for _, ds in found] == span("2013-01-02", "2013-01-08")


def test_what_is_between_is_followed():
    flat, middle = table("flat"), reading(table("middle"), Wait("model.p.flat"))
    last = reading(table("last"), Wait("model.p.middle", -1))
    found = made_stale(project(flat, middle, last), [("model.p.flat", "2013-01-02")], standing(flat, middle, last))
    assert list(found) == [("model.p.middle", "2013-01-02"), ("model.p.last", "2013-01-03")]
    assert readers_of(project(flat, middle, last), ["model.p.flat"]) == {"model.p.middle", "model.p.last"}


def test_a_day_reads_its_hours():
    hourly = table("hourly", grain=Grain.HOUR, kind=Kind.EVENTS)
    daily = reading(table("daily"), Wait("model.p.hourly"))
    published = {daily.table: set(DAYS), hourly.table: {"2013-01-02T13"}}
    found = made_stale(project(hourly, daily), [("model.p.hourly", "2013-01-02T13")], published)
    assert found == {("model.p.daily", "2013-01-02"): ("model.p.hourly", "2013-01-02T13")}


def test_what_is_made_anew_itself_is_not_stale():
    flat, daily = table("flat"), reading(table("daily"), Wait("model.p.flat"))
    changed = [("model.p.flat", "2013-01-02"), ("model.p.daily", "2013-01-02")]
    assert made_stale(project(flat, daily), changed, standing(flat, daily)) == {}


def test_a_plan_makes_again_what_stands_on_what_it_makes():
    """A slice that was built before those that it stands on: 1254, 302, 609 instead of 1254, 1556, 1863."""
    total = reading(table("total", start="2013-01-01"), Wait("model.p.total", -1))
    published = {total.table: {"2013-01-05", "2013-01-06", "2013-01-12"}}
    plan = make_plan([total], "2013-01-01", "2013-01-08", published, every=project(total))
    assert made(plan) == [(ds, ["total"]) for ds in span("2013-01-01", "2013-01-08")]
    assert plan.reasons["model.p.total", "2013-01-04"] == "missing"
    assert plan.reasons["model.p.total", "2013-01-05"] == "downstream of total 2013-01-04"
    assert (plan.done, plan.left) == (0, {})


def test_what_is_not_selected_is_left_unless_downstream_is_asked_for():
    flat, daily = table("flat"), reading(table("daily"), Wait("model.p.flat"))
    published = standing(flat, daily)
    day = "2013-01-02"
    plan = make_plan([flat], day, day, published, force=True, every=project(flat, daily))
    assert made(plan) == [(day, ["flat"])]
    assert plan.left == {("model.p.daily", day): ("model.p.flat", day)}
    plan = make_plan([flat], day, day, published, force=True, every=project(flat, daily), downstream=True)
    assert made(plan) == [(day, ["flat", "daily"])]
    assert plan.reasons == {("model.p.flat", day): "forced", ("model.p.daily", day): f"downstream of flat {day}"}
    assert plan.left == {}


def test_what_is_not_over_is_left_out():
    flat = table("flat")
    plan = make_plan([flat], "2013-01-01", "2013-01-03", {}, is_due=lambda ds: ds < "2013-01-03")
    assert [ds for ds, _ in made(plan)] == ["2013-01-01", "2013-01-02"]
    assert plan.early == ((flat, "2013-01-03"),)


def test_ranges_are_runs_without_a_gap():
    assert ranges(["2013-01-03", "2013-01-01", "2013-01-02", "2013-01-09"]) == [
        ("2013-01-01", "2013-01-03", 3),
        ("2013-01-09", "2013-01-09", 1),
    ]
    assert ranges([]) == []


def test_what_reads_as_of_a_date_is_stale_where_the_changed_slice_is_the_one_that_it_reads():
    rates, total = table("rates"), reading(table("total"), Wait("model.p.rates", 0, 1, "ds"))
    published = {rates.table: {"2013-01-01", "2013-01-04", "2013-01-08"}, total.table: set(DAYS)}
    found = made_stale(project(rates, total), [("model.p.rates", "2013-01-04")], published)
    assert [ds for _, ds in found] == span("2013-01-04", "2013-01-07")


def test_a_history_is_stale_after_the_gap():
    own = reading(table("own"), Wait("model.p.own", -1, 1, "ds", "model.p.snapshots"))
    days = ["2013-01-01", "2013-01-05", "2013-01-08"]
    found = made_stale(project(own), [("model.p.own", "2013-01-01")], standing(own, days=days))
    assert [ds for _, ds in found] == ["2013-01-05", "2013-01-08"]
