"""Each shape of DAG, run whole by Airflow's own `dag.test` on the local engine."""

import threading

import pendulum
import pytest
from dayslice_airflow import dags, operators, triggers

from dayslice.rules.failures import never_succeeds
from tests.receivers import ended_runs

DS = "2013-01-05"
MOMENT = pendulum.datetime(2013, 1, 5, 4)


@pytest.fixture(scope="module")
def project(shapes):
    project = shapes
    project.land("orders", DS, "select 1 as id union all select 2", "id int")
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


def test_what_follows_a_table_is_made_by_its_run_when_all_that_it_reads_stands(project, run, receiver):
    project.land("customers", DS, "select 1 as id union all select 2", "id int")
    done = ("waits", "build", "waits_of_followers", "followers")
    assert run("stock") == ("success", dict.fromkeys(done, "success"))
    assert project.query("select n from analytics.summary") == [(4,)]
    assert "analytics.stock" in ended_runs(receiver.heard), "OpenLineage is told before the task's process ends"


@pytest.mark.parametrize(("table", "ds"), [("hourly", f"{DS}T04"), ("quarters", f"{DS}T0430")])
def test_runs_of_the_finer_grains_have_the_ds_of_their_time(project, run, table, ds):
    done = run(table, MOMENT.add(minutes=37))
    assert done == ("success", {"waits": "success", "build": "success"})
    assert list(project.published(table)) == [ds]
    # Nobody waits for what is still going on, nor is it computed.
    assert run(table, pendulum.now("UTC"))[0] == "failed"


def test_a_mistyped_key_fails_at_once(project, run):
    before = project.published("daily")
    assert run("daily", dss=DS)[1]["waits"] == "failed"
    assert project.published("daily") == before


def test_a_query_that_can_never_succeed_is_not_tried_again(run, monkeypatch):
    asked = []
    monkeypatch.setattr(operators, "never_succeeds", lambda message: asked.append(message) or never_succeeds(message))
    assert run("wrong") == ("failed", {"build": "failed"})
    assert [("no_such_column" in message, never_succeeds(message)) for message in asked] == [(True, True)]


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


def test_a_stale_source_holds_a_run_back(project, run, monkeypatch):
    project.land("stations", DS, "select 'JFK' as station", "station varchar")
    deployment = dags.read_deployment(*dags.served())
    monkeypatch.setattr(dags, "read_deployment", lambda *_: with_wait(deployment, "by_station", 1.0))
    assert run("by_station") == ("failed", {"freshness": "failed", "build": "upstream_failed"})


def test_fresh_sources_of_others_let_a_run_go_on(project, run):
    project.land("stations", pendulum.now("UTC").to_date_string(), "select 'JFK' as station", "station varchar")
    assert run("by_station") == ("success", {"freshness": "success", "build": "success"})
