"""A day of the whole demo by Airflow on Trino, and a staging Airflow that reads production's slices."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pendulum
import pytest
import trino
from dayslice_airflow import dags

from dayslice.errors import UsageError
from dayslice.metastore.hive import HiveMetastore
from dayslice.orchestration.deployment import deploy, read_deployment
from dayslice.rules.slices import Table
from tests.airflow.running_airflow import until
from tests.sql.trino_project import SCHEMAS, TrinoProject
from tests.warm.programs import program

pytestmark = [pytest.mark.trino, pytest.mark.demo]
ROOT = Path(__file__).parents[2]
DS = "2013-01-01"
SMALL = {
    "models/m.yml": """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: upstream, config: {meta: {slice: events}}}
  - {name: changed, config: {meta: {slice: events}}}
""",
    "models/upstream.sql": "select id from {{ slice('erp', 'orders') }}",
    "models/changed.sql": "select count(*) as n from {{ slice('upstream') }}",
    "models/changed_latest.sql": "{{ latest('changed') }}",
}


def emptied(stack):
    with HiveMetastore(stack.metastore.uri) as metastore:
        for schema in SCHEMAS:
            for name in metastore.tables(schema):
                metastore.drop_table(Table(schema, name))


def run(deployment, dag_id, ds, **conf):
    dag = dags.table_dag(deployment, deployment.table(dag_id))
    return str(dag.test(logical_date=pendulum.parse(ds).add(minutes=30), run_conf=conf).state)


def of_now(table):
    """Whether it is an import that cannot be taken of the past."""
    return table["is_import"] and table["kind"] == "cumulative"


@pytest.fixture
def demo_home(make_home, stack, monkeypatch):
    """A home with the demo's source and one day of it on the local engine."""
    home = make_home()
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DAYSLICE_", "PYTHONDONT"))}
    command = [program("dayslice"), "demo", "--days", "1"]
    env = {**own, "DAYSLICE_HOME": str(home)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, value in {**stack.environment(), "DAYSLICE_HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    return home


def rows(cursor, table):
    cursor.execute(f"select * from {table} where false")
    names = sorted(column[0] for column in cursor.description)
    return names, Counter(tuple(row) for row in cursor.execute(f"select {', '.join(names)} from {table}").fetchall())


def test_a_day_of_the_demo(demo_home, stack, airflow_database):
    emptied(stack)
    deployment = deploy(ROOT, "trino")
    assert deployment.pools == {"source_erp": 2, "trino": 8}
    states = {
        dag_id: run(deployment, dag_id, DS, **({"as_of_now": True} if of_now(table) else {}))
        for dag_id, table in deployment.entries.items()
    }
    assert set(states.values()) == {"success"}, states
    cursor = trino.dbapi.connect(host="127.0.0.1", port=stack.ports.trino, user="test", catalog="hive").cursor()
    with duckdb.connect(str(demo_home / "dayslice.duckdb"), read_only=True) as local:
        local.execute("set timezone to 'UTC'")
        for dag_id in deployment.entries:
            table = deployment.table(dag_id).table
            for place in (str(table), f"{table}_latest"):
                names, expected = rows(local.cursor(), place)
                assert sum(expected.values()) > 0
                assert rows(cursor, place) == (names, expected), place


@pytest.fixture
def small(tmp_path, stack, monkeypatch):
    project = TrinoProject(tmp_path, SMALL, stack)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    project.empty()
    project.land("orders", DS, "values 1, 2, 3", "id int")
    return project


def test_staging_computes_aside_from_production_s_slices(small, airflow_database):
    with pytest.raises(UsageError, match="deploy --target trino first"):
        deploy(small.root, "staging")
    production = deploy(small.root, "trino")
    assert [run(production, dag_id, DS) for dag_id in ("upstream", "changed")] == ["success", "success"]
    before = small.published("changed")

    small.write({"models/changed.sql": "select 10 * count(*) as n from {{ slice('upstream') }}"})
    staging = deploy(small.root, "staging")
    assert set(staging.entries) == {"upstream", "changed"}, "staging imports nothing"
    assert Path(staging.state, "manifest.json").is_relative_to(staging.project), "a node needs no other deployment"
    changed = staging.table("changed")
    assert (changed.schema, [each.schema for each in changed.waits]) == ("staging", ["analytics"])
    assert run(staging, "changed", DS) == "success"
    assert small.query("select n, ds from staging.changed_latest") == [(30, DS)]
    assert small.query("select n, ds from analytics.changed_latest") == [(3, DS)]
    assert small.published("changed") == before
    assert small.published("upstream", "staging") == {}
    assert read_deployment(small.home, "trino").id == production.id


SLOW = """
select count(*) as n from {{ slice('upstream') }}
cross join tpch.sf10.lineitem as one
cross join tpch.sf10.lineitem as other
"""
TASKS = """
import sys
from pathlib import Path
from dayslice.orchestration.deployment import read_deployment
from tests.airflow.test_on_trino import DS, run
deployment = read_deployment(Path(sys.argv[1]), "trino")
for dag_id in ("upstream", "changed"):
    run(deployment, dag_id, DS)  # the second one is tried again later, as tasks are
"""


def queries(project):
    """The slow query, as Trino has it."""
    return project.query(
        "select query_id, state from system.runtime.queries where query like '%create table%' and query like '%sf10%' "
        "and query not like '%system.runtime%' order by created desc limit 1"
    )


def test_a_task_that_is_ended_leaves_no_query_on_trino(small, airflow_database):
    """SIGTERM to the process of a task, whose handler Airflow sets anew for each task."""
    small.write({"models/changed.sql": SLOW})
    deploy(small.root, "trino")
    task = subprocess.Popen([sys.executable, "-c", TASKS, str(small.home)], cwd=ROOT, env=dict(os.environ))
    try:
        until(lambda: [state for _, state in queries(small) if state == "RUNNING"], 300)
        [(query, _)] = queries(small)
        task.send_signal(signal.SIGTERM)
        until(lambda: queries(small) == [(query, "FAILED")], 30)
        assert list(small.published("upstream")) == [DS], "the task before it was done"
        assert small.published("changed") == {}
    finally:
        task.kill()
        task.wait()
