"""Plain dbt, as an analyst types it in the project's folder, with no other setting."""

import json
import os
import subprocess
from datetime import UTC, datetime

import pytest

from tests.warm.programs import program

FILES = {
    "models/models.yml": """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
  - name: landed
    schema: erp
    config: {freshness: {error_after: {count: 30, period: hour}}}
    tables:
      - name: events
        config:
          loaded_at_query: >
            select cast(max(ds) as timestamp) from {{ this.schema }}.{{
              '"events$partitions"' if target.type == 'dayslice_trino' else 'events' }}
models:
  - name: daily
    config: {meta: {slice: events}}
    columns: [{name: id, data_tests: [unique]}]
  - name: running
    columns: [{name: n, data_type: bigint}]
unit_tests:
  - name: running_adds_to_its_previous_slice
    model: running
    given:
      - {input: ref('daily'), rows: [{id: 1}, {id: 2}]}
      - {input: this, rows: [{n: 5}]}
    expect: {rows: [{n: 7}]}
""",
    "models/daily.sql": "select id from {{ slice('erp', 'orders') }}",
    "models/daily_latest.sql": "{{ latest('daily') }}",
    "models/running.sql": "select count(*) + coalesce((select max(n) from {{ slice(this, -1) }}), 0) as n "
    "from {{ slice('daily') }}",
}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied):
    made = emptied(make_project(FILES))
    for ds in ("2013-01-05", "2013-01-06"):
        made.land("orders", ds, "select 1 as id union all select 2", "id int")
    return made


def start(project, *command, **env):
    environment = {k: v for k, v in os.environ.items() if k not in ("DAYSLICE_DS", "PYTHONDONTWRITEBYTECODE")} | env
    return subprocess.Popen(
        [program("dbt"), "--no-use-colors", *command],
        cwd=project.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(project, *command, **env):
    process = start(project, *command, **env)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def test_commands_that_write_nothing_need_no_ds(project):
    for command in (["ls"], ["docs", "generate"]):
        code, output = run(project, *command)
        assert code == 0, output
    catalog = json.loads((project.root / "target/manifest.json").read_text())
    assert "ds = '$ds'" in catalog["nodes"]["model.dayslice.daily"]["compiled_code"]


def test_build_demands_a_ds_in_one_line(project):
    code, output = run(project, "build")
    assert code != 0
    assert "no ds: say which slice" in output
    assert "Traceback" not in output
    assert project.published("daily") == {}


def test_two_builds_at_once_wait_for_each_other_and_unit_tests_pass_before_the_first_slice(project):
    first = start(project, "build", "--vars", "ds: 2013-01-05")
    second = start(project, "build", "--target-path", "other", "--exclude", "running", DAYSLICE_DS="2013-01-06")
    for process in (first, second):
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert list(project.published("daily")) == ["2013-01-05", "2013-01-06"]
    assert list(project.published("running")) == ["2013-01-05"]


def test_what_others_land_is_held_to_its_freshness(project):
    project.land("events", "2013-01-05", "select 1 as id", "id int")
    assert freshness(project) == "error"
    project.land("events", datetime.now(UTC).date().isoformat(), "select 1 as id", "id int")
    assert freshness(project) == "pass"


def freshness(project):
    results = project.dbt.run(["source", "freshness", "--select", "source:landed"])
    return next(each.status for each in results if each.unique_id == "source.dayslice.landed.events")


def test_retry_goes_on_where_a_build_failed(project):
    vars_ = ["--vars", "ds: 2013-01-08"]
    code, output = run(project, "build", *vars_)
    assert code == 1
    assert "erp.orders 2013-01-08" in output
    project.land("orders", "2013-01-08", "select 1 as id", "id int")
    code, output = run(project, "retry")
    assert code == 1
    assert "analytics.running 2013-01-07" in output, "a gap in its own history"
    assert "2013-01-08" in project.published("daily"), "the ds was remembered"


def test_tests_see_one_slice_and_take_the_ds_from_the_environment(project):
    code, output = run(project, "test", "--select", "daily", DAYSLICE_DS="2013-01-05")
    assert code == 0, output
    assert "PASS unique_daily_id" in output
