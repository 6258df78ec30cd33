import pytest

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import make_plan, periods
from dayslice.rules.settings import Kind, TableSettings
from dayslice.rules.slices import Table


def table(name, is_import=False, **settings):
    kind = "source.p.erp" if is_import else "model.p"
    return TableNode(
        unique_id=f"{kind}.{name}",
        table=Table("s", name),
        is_import=is_import,
        settings=TableSettings(**settings),
        meta={},
        path="",
        yaml="",
        description="",
        columns={},
        waits=(),
        latest_view=None,
    )


def made(plan):
    return [(step.ds, [node.table.name for node in (*step.imports, *step.models)]) for step in plan.steps]


def test_only_what_is_missing_is_made_oldest_first():
    flights, flat = table("flights", True, kind=Kind.EVENTS), table("flat", kind=Kind.EVENTS)
    published = {flights.table: {"2013-01-01", "2013-01-02"}, flat.table: {"2013-01-01"}}
    plan = make_plan([flights, flat], "2013-01-01", "2013-01-03", published)
    assert made(plan) == [("2013-01-02", ["flat"]), ("2013-01-03", ["flights", "flat"])]
    assert (plan.done, plan.size) == (3, 3)


def test_force_makes_models_again_but_never_imports():
    flights, flat = table("flights", True, kind=Kind.EVENTS), table("flat")
    published = {node.table: {"2013-01-01"} for node in (flights, flat)}
    assert made(make_plan([flights, flat], "2013-01-01", "2013-01-01", published, force=True)) == [
        ("2013-01-01", ["flat"])
    ]


def test_a_past_snapshot_is_lost_and_a_current_one_is_taken():
    planes = table("planes", True, kind=Kind.CUMULATIVE)
    plan = make_plan([planes], "2013-01-01", "2013-01-02", {}, snapshot_ds={"2013-01-02"})
    assert made(plan) == [("2013-01-02", ["planes"])]
    assert [(node.table.name, ds) for node, ds in plan.lost] == [("planes", "2013-01-01")]


def test_nothing_is_wanted_before_a_table_s_start():
    plan = make_plan([table("flat", start="2013-01-03")], "2013-01-01", "2013-01-03", {})
    assert made(plan) == [("2013-01-03", ["flat"])]


def test_the_hours_of_a_day_come_before_the_day():
    hourly, daily = table("hourly", grain=Grain.HOUR), table("daily")
    order = [ds for ds, _ in made(make_plan([daily, hourly], "2013-01-01", "2013-01-02", {}))]
    assert len(order) == 50
    assert order.index("2013-01-01T23") < order.index("2013-01-01") < order.index("2013-01-02T00")


def test_part_of_a_day_is_no_slice_of_a_daily_table():
    assert periods("2013-01-01T00", "2013-01-01T22", Grain.DAY) == []
    assert periods("2013-01-01T00", "2013-01-01T23", Grain.DAY) == ["2013-01-01"]
    assert periods("2013-01-01T13", "2013-01-03T05", Grain.DAY) == ["2013-01-02"]
    assert len(periods("2013-01-01", "2013-01-01", Grain.QUARTER_HOUR)) == 96


@pytest.mark.parametrize(("first", "last"), [("2013-01-02", "2013-01-01"), ("2013-01-01", "2013-01-01T05")])
def test_a_wrong_span_is_refused(first, last):
    with pytest.raises(UsageError):
        make_plan([table("flat")], first, last, {})
