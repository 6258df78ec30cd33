"""`dayslice status`: each state told apart, on the screen, for programs, as metrics."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.sql.warehouse_project import WarehouseProject

OWNER = 'a "team"\\of two'
YAML = f"""
sources:
  - name: erp
    config: {{meta: {{connection: erp, slice: events, owner: {json.dumps(OWNER)}, late_after: 6h}}}}
    tables: [{{name: orders}}]
models:
  - name: flat
    config: {{meta: {{slice: events, owner: sales, late_after: 6h}}}}
    columns: [{{name: id, data_tests: [unique]}}]
"""
TODAY = datetime.now(UTC).date()
DAYS = [(TODAY - timedelta(days=back)).isoformat() for back in range(8, 3, -1)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Day 0 stale, day 1 empty, day 2 missing of the model, day 3 stands, day 4 refused."""
    files = {"models/models.yml": YAML, "models/flat.sql": "select id from {{ source('erp', 'orders') }} where id < 9"}
    made = WarehouseProject(tmp_path_factory.mktemp("project"), files)
    rows = ["select 1 as id", "select 9 as id", "select 1 as id", "select 1 as id"]
    for ds, select in zip(DAYS, rows, strict=False):
        made.land("orders", ds, select, "id int")
        if ds != DAYS[2]:
            made.build(ds)
    made.land("orders", DAYS[0], "select 2 as id", "id int")
    made.land("orders", DAYS[4], "select * from (values (1), (1)) as v(id)", "id int")
    made.build(DAYS[4])
    made.land("old", DAYS[0], "select 1 as id", "id int")
    return made


def test_each_state_is_shown_in_eighty_columns(run, project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("status", "--from", DAYS[0], "--to", DAYS[4])
    assert code == 0
    line = next(line.split() for line in out.splitlines() if line.strip().startswith("flat"))
    assert line == ["flat", "stale", "empty", "missing", "1", "refused"]
    assert max(len(line) for line in out.splitlines() if "no model owns" not in line) <= 80
    assert "erp.old: 1 slice" in out


def test_problems_are_listed_and_end_with_one(run, project):
    code, out, _ = run("status", "--only", "problems", "--exit-code")
    assert code == 1
    assert f"flat: missing: {DAYS[2]}; owner sales" in out
    assert f"flat: refused: {DAYS[4]}; owner sales" in out
    assert f"erp.orders: late: {(TODAY - timedelta(days=3)).isoformat()} to " in out
    code, out, _ = run("status", "--only", "problems", "--json", "--select", "flat")
    assert {(each["ds"], each["state"]) for each in json.loads(out)} >= {(DAYS[2], "missing"), (DAYS[4], "refused")}


def test_programs_get_every_slice_and_the_tables_that_no_model_owns(run, project):
    found = json.loads(run("status", "--from", DAYS[0], "--to", DAYS[4], "--json")[1])
    states = {each["ds"]: each["state"] for each in found if each["table"] == "flat"}
    assert list(states.values()) == ["stale", "empty", "missing", "published", "refused"]
    stale = next(each for each in found if each["table"] == "flat" and each["ds"] == DAYS[0])
    assert stale["stale"].startswith("input newer: erp.orders")
    assert stale["rows"] == 1
    assert found[-1] == {"table": "erp.old", "state": "unowned", "slices": [DAYS[0]]}
    selected = json.loads(run("status", "--select", "flat", "--json")[1])
    assert {each["table"] for each in selected} == {"flat"}


def test_metrics_are_read_by_prometheus_own_parser(run, project, tmp_path):
    file = tmp_path / "dayslice.prom"
    code, out, _ = run("status", "--prometheus", str(file))
    assert (code, out) == (0, f"wrote {file}\n")
    families = {each.name: each for each in text_string_to_metric_families(file.read_text())}
    assert {each.type for each in families.values()} == {"gauge"}
    assert all(each.documentation for each in families.values())

    def value(name, table):
        (found,) = [each for each in families[name].samples if each.labels["table"] == table]
        return found.labels["owner"], found.value

    assert value("dayslice_published_slices", "erp.orders") == (OWNER, 5)
    assert value("dayslice_newest_slice_rows", "erp.orders") == (OWNER, 2)
    assert value("dayslice_missing_slices", "flat") == ("sales", 1)
    assert value("dayslice_refused_slices", "flat") == ("sales", 1)
    assert value("dayslice_late_slices", "flat")[1] >= 2
    end = datetime.fromisoformat(DAYS[3]).replace(tzinfo=UTC) + timedelta(days=1)
    assert value("dayslice_newest_slice_end_timestamp_seconds", "flat") == ("sales", end.timestamp())
    age = value("dayslice_newest_slice_age_seconds", "flat")[1]
    assert 3 * 86400 <= age <= 5 * 86400
    assert list(file.parent.iterdir()) == [file]
