"""Which days a replay takes, which it refuses, and where it ends."""

from types import SimpleNamespace

import pytest
import yaml

from dayslice.demo.replay import EMBEDDED, Listeners, demo_tables, make_replay, register, replay, replayed_days
from dayslice.demo.source import Source
from dayslice.errors import UsageError
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.lineage import Lineage
from dayslice.rules.slices import Receipt, Slice, Version
from dayslice.runner.project import load_project
from tests.demo.conftest import ROOT
from tests.rules.test_plan import table


@pytest.fixture
def warehouse(tmp_path):
    """A project of one import, with slices of the first three days."""
    node = table("planes", is_import=True)
    target = SimpleNamespace(
        name="local",
        type="duckdb",
        home=tmp_path,
        database_file=tmp_path / "dayslice.duckdb",
        metastore_file=tmp_path / "metastore.sqlite",
    )
    with SQLiteMetastore(target.metastore_file) as metastore:
        for ds in ("2013-01-01", "2013-01-02", "2013-01-03"):
            metastore.publish(Version(Slice(node.table, ds), ds, Receipt(rows=1)))
    return SimpleNamespace(target=target, lineage=Lineage({}, {})), [node]


@pytest.mark.parametrize("first, days", [("2013-01-01", 365), ("2013-12-31", 1)])
def test_a_replay_may_take_every_day_of_the_year(first, days):
    assert replayed_days(first, days)[0] == first
    assert replayed_days(first, days)[-1] == "2013-12-31"


@pytest.mark.parametrize(
    "first, days", [("2012-12-31", 3), ("2013-12-31", 2), ("2013-01-01", 366), ("2013-01-01", 0), ("2013-01-01T05", 1)]
)
def test_other_days_are_refused(first, days):
    with pytest.raises(UsageError):
        replayed_days(first, days)


def test_what_is_published_is_not_made_again(warehouse):
    plan = make_replay(*warehouse, replayed_days("2013-01-01", 5), newest="2013-01-03")
    assert [step.ds for step in plan.steps] == ["2013-01-04", "2013-01-05"]
    assert plan.done == 3


def test_a_day_that_the_source_had_reached_when_it_was_killed_is_made(warehouse):
    plan = make_replay(*warehouse, replayed_days("2013-01-01", 4), newest="2013-01-04")
    assert [step.ds for step in plan.steps] == ["2013-01-04"]


def test_a_snapshot_of_a_day_that_is_past_is_refused(warehouse):
    with pytest.raises(UsageError, match="stands at the end of 2013-01-06 and cannot go back to 2013-01-04"):
        make_replay(*warehouse, replayed_days("2013-01-01", 6), newest="2013-01-06")


def test_a_gap_in_the_history_is_refused(warehouse):
    assert make_replay(*warehouse, replayed_days("2013-01-04", 1), newest="2013-01-03").size == 1
    with pytest.raises(UsageError, match="would leave a gap"):
        make_replay(*warehouse, replayed_days("2013-01-05", 1), newest="2013-01-03")


def test_the_connection_is_named_beside_those_that_are_there(tmp_path, monkeypatch):
    monkeypatch.delenv("DAYSLICE_CONNECTION_ERP", raising=False)
    file = tmp_path / "connections.yml"
    file.write_text("crm: embedded:postgres@crm\n")
    register(tmp_path)
    register(tmp_path)
    assert yaml.safe_load(file.read_text()) == {"crm": "embedded:postgres@crm", "erp": EMBEDDED}


def test_a_name_that_is_another_database_s_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("DAYSLICE_CONNECTION_ERP", raising=False)
    file = tmp_path / "connections.yml"
    file.write_text("erp: embedded:me@mine\n")
    with pytest.raises(UsageError, match="needs that name"):
        register(tmp_path)
    assert file.read_text() == "erp: embedded:me@mine\n"
    monkeypatch.setenv("DAYSLICE_CONNECTION_ERP", "postgresql://production/erp")
    with pytest.raises(UsageError, match="DAYSLICE_CONNECTION_ERP is set"):
        register(tmp_path / "other")


def test_a_day_that_fails_ends_the_replay_and_is_made_by_the_next(folder, monkeypatch):
    for name in ("DAYSLICE_CONNECTION_ERP", "DAYSLICE_TARGET", "DAYSLICE_DS", "DAYSLICE_WAREHOUSE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAYSLICE_HOME", str(folder))
    register(folder)
    project = load_project(ROOT)
    tables = demo_tables(project)
    listeners = Listeners(lambda ds: None, lambda outcome: None)
    days = replayed_days("2013-01-01", 2)

    def grant(source, what):
        with source.connection, source.connection.cursor() as cursor:
            cursor.execute(what)

    with Source(folder) as source:
        grant(source, "revoke select on airlines from reader")
        failed = replay(project, source, make_replay(project, tables, days, source.newest()), listeners)
        assert {each.table: each.status for each in failed if each.failed} == {
            "erp.airlines": "failed",
            **dict.fromkeys(["flights_flat"], "failed"),
            **dict.fromkeys(["airport_daily", "carrier_metrics", "route_delays_7d", "company_metrics"], "skipped"),
        }
        assert "airlines" in next(each.message for each in failed if each.table == "erp.airlines")
        assert source.newest() == "2013-01-01"

        grant(source, "grant select on airlines to reader")
        plan = make_replay(project, tables, days, source.newest())
        assert plan.done == 4
        assert [each.status for each in replay(project, source, plan, listeners)] == ["published"] * 16
        assert source.newest() == "2013-01-02"
