"""Each shape of DAG, run whole by Airflow's own `dag.test` on the local engine."""

import threading

import duckdb
import pendulum
import pytest
from dayslice_airflow import dags, triggers

from tests.airflow.shapes import FILES

DS = "2013-01-05"
MOMENT = pendulum.datetime(2013, 1, 5, 4)


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(FILES)
    project.land("orders", DS, "select 1 as id union all select 2", "id int")
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("create schema weather")
        connection.execute("create table weather.stations as select 'JFK' as station, now()::timestamp as seen_at")
    project.deploy()
    return project


@pytest.fixture
def run(project, serve, airflow_database, monkeypatch):
    """Runs a DAG for a moment; its state, and that of its tasks."""
    serve(project)
    monkeypatch.setattr(triggers, "LOOK_EVERY", 0.5)

    def call(dag_id, moment=MOMENT, **conf):
        dag = {each.dag_id: each for each in dags.deployed_dags()}[dag_id]
        done = dag.test(logical_date=moment, run_conf=conf)
        return str(done.state), {task.task_id: str(task.state) for task in done.get_task_instances()}

    return call


def land_clicks(project, hours=range(24)):
    for hour in hours:
        project.land("clicks", f"{DS}T{hour:02d}", "select 1 as click", "click int")


def test_a_run_waits_for_the_last_hour_and_computes_when_it_stands(project, run):
    land_clicks(project, range(23))
    # By hand, while the run waits: whoever makes a slice, it counts.
    late = threading.Timer(8, land_clicks, (project, [23]))
    late.start()
    assert run("daily") == ("success", {"waits": "success", "build": "success"})
    assert not late.is_alive()
    assert project.query(f"select id, clicks from analytics.daily_latest where ds = '{DS}' order by id") == [
        (1, 24),
        (2, 24),
    ]


def test_the_same_run_again_replaces_its_slice_only(project, run):
    before = project.published("daily")
    assert run("daily", ds=DS, moment=MOMENT.add(days=40))[0] == "success"
    after = project.published("daily")
    assert before.keys() == after.keys() == {DS}
    assert before[DS].id != after[DS].id


def test_tests_that_read_what_is_built_later_run_after_publication(project, run):
    assert run("running") == ("success", {"waits": "success", "build": "success", "tests": "success"})


def test_refused_data_fails_at_once_and_the_published_slice_stays(project, run):
    before = project.published("daily")
    project.land("orders", DS, "select 7 as id union all select 7", "id int")
    assert run("daily") == ("failed", {"waits": "success", "build": "failed"})
    assert project.published("daily") == before


def test_a_run_that_waits_too_long_fails(project, run, monkeypatch):
    deployment = dags.read_deployment(*dags.served())
    monkeypatch.setattr(dags, "read_deployment", lambda *_: with_wait(deployment, "daily", 1.0))
    assert run("daily", MOMENT.add(days=1)) == ("failed", {"waits": "failed", "build": "upstream_failed"})


def with_wait(deployment, dag_id, seconds):
    entries = dict(deployment.entries)
    entries[dag_id] = {**entries[dag_id], "wait_seconds": seconds}
    return deployment.__class__(**{**vars(deployment), "entries": entries})


def test_a_run_without_a_ds_says_so(run):
    assert run("week", None)[1]["waits"] == "failed"


def test_fresh_sources_of_others_let_a_run_go_on(project, run):
    assert run("by_station") == ("success", {"freshness": "success", "build": "success"})


def test_a_stale_source_holds_it_back(project, run, monkeypatch):
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("update weather.stations set seen_at = seen_at - interval 3 hours")
    deployment = dags.read_deployment(*dags.served())
    monkeypatch.setattr(dags, "read_deployment", lambda *_: with_wait(deployment, "by_station", 1.0))
    assert run("by_station") == ("failed", {"freshness": "failed", "build": "upstream_failed"})
