"""The command line: exit codes 0 done, 1 some slice failed, 2 wrong usage; sentences, never a traceback."""

import json

import pytest

from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}, {name: visits, config: {meta: {owner: ann}}}]
models:
  - {name: daily, config: {meta: {slice: events}}}
  - name: odd
    config: {meta: {slice: events}}
    columns: [{name: id, data_tests: [{accepted_values: {arguments: {values: [7]}, config: {severity: warn}}}]}]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    select = "select id from {{ slice('erp', 'orders') }}"
    files = {"models/models.yml": YAML, "models/daily.sql": select, "models/odd.sql": select}
    made = WarehouseProject(tmp_path_factory.mktemp("project"), files)
    for ds in ("2013-01-05", "2013-01-06"):
        made.land("orders", ds, "select 1 as id", "id int")
    return made


def test_what_is_done_ends_with_0(run):
    code, out, _ = run("build", "--ds", "2013-01-05", "--json", "--select", "daily")
    assert code == 0
    assert [(each["table"], each["status"]) for each in json.loads(out)["slices"]] == [("daily", "published")]


def test_a_warning_is_reported_and_published(run, project):
    code, out, err = run("build", "--ds", "2013-01-05", "--select", "odd")
    assert (code, out) == (0, "1 published\n")
    assert "warned odd 2013-01-05" in err
    assert "accepted_values_odd_id__7: 1 failing; to see them:" in err
    assert list(project.published("odd")) == ["2013-01-05"]


def test_a_backfill_makes_what_is_missing_and_says_what_failed(run, project):
    code, out, err = run("backfill", "--from", "2013-01-05", "--to", "2013-01-07", "--select", "daily")
    assert code == 1
    assert "erp.orders 2013-01-07" in err
    assert "1 blocked" in out
    assert {"2013-01-05", "2013-01-06"} <= set(project.published("daily"))
    code, out, _ = run("backfill", "--from", "2013-01-05", "--to", "2013-01-06", "--select", "daily")
    assert (code, out) == (0, "0 published, 2 there already\n")


def test_status_marks_a_gap(run, project):
    project.land("orders", "2013-01-09", "select 1 as id", "id int")
    code, out, _ = run("status", "--select", "erp.orders")
    assert code == 0
    assert out.count("missing") == 2
    code, out, _ = run("status", "--select", "erp.orders", "--json")
    states = {each["ds"]: each["state"] for each in json.loads(out)}
    there, missing = ("2013-01-05", "2013-01-06", "2013-01-09"), ("2013-01-07", "2013-01-08")
    assert states == dict.fromkeys(there, "published") | dict.fromkeys(missing, "missing")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "--ds", "2013-02-30"], "there is no such day"),
        (["build", "--ds", "2013-01-05", "--select", "nothing"], "names no table"),
        (["build"], "Missing option '--ds'"),
        (["build", "--ds", "2013-01-05", "--target", "moon"], "target named 'moon'"),
        (["backfill", "--from", "2013-01-06", "--to", "2013-01-05"], "is after"),
        (["import", "daily", "--ds", "2013-01-05"], "is a model, not an import"),
        (["import", "--ds", "2013-01-05"], "--all"),
        (["import", "erp.nothing", "--ds", "2013-01-05"], "there is no table 'erp.nothing'"),
        (["fly"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_sentence(run, arguments, said):
    code, out, err = run(*arguments)
    assert code == 2
    assert said in err
    assert out == ""


def test_a_past_snapshot_and_a_missing_connection_are_refused(run, project, monkeypatch):
    monkeypatch.delenv("DAYSLICE_CONNECTION_ERP", raising=False)
    code, _, err = run("import", "erp.orders", "--ds", "2013-01-05")
    assert code == 1
    assert "set DAYSLICE_CONNECTION_ERP" in err


def test_outside_a_project_it_says_so(monkeypatch, tmp_path, run):
    monkeypatch.setattr("dayslice.runner.project.find_root.__defaults__", (tmp_path,))
    code, _, err = run("status")
    assert code == 2
    assert "dbt_project.yml" in err


def test_status_tells_what_is_missing_or_late(run, project):
    for ds in ("2013-02-01", "2013-02-03"):
        project.land("visits", ds, "select 1 as id where false", "id int")
    code, out, _ = run("status", "--select", "erp.visits")
    assert code == 0
    assert "empty" in out
    assert "missing" in out
    assert "late: 1 of 1 tables" in out
    code, out, _ = run("status", "--select", "erp.visits", "--only", "problems", "--exit-code")
    assert code == 1
    assert out.startswith("erp.visits: missing: 2013-02-02; owner ann\nerp.visits: late: 2013-02-04 to ")
    code, out, _ = run("status", "--select", "erp.visits", "--only", "problems", "--json")
    assert code == 0
    assert json.loads(out)[0] == {"table": "erp.visits", "ds": "2013-02-02", "state": "missing", "owner": "ann"}
