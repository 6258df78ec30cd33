"""The DAGs as Airflow sees them, made from what is deployed."""

import asyncio
import copy
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow._shared.timezones.timezone import coerce_datetime
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from dayslice_airflow import callbacks, dags, notes
from dayslice_airflow.run_ds import ds_of
from dayslice_airflow.timetable import SliceTimetable

from dayslice.engines.embedded import memory_limit
from dayslice.rules.calendar import Grain
from dayslice.rules.slices import Table
from tests.local_files import land_slice
from tests.receivers import SECRET, web_hook


@pytest.fixture(scope="module")
def project(shapes):
    return shapes


@pytest.fixture
def deployed(project, serve):
    serve(project)
    return {dag.dag_id: dag for dag in dags.deployed_dags()}


def edges(dag):
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


def test_every_table_is_a_dag_of_its_own(deployed):
    assert {name: edges(dag) for name, dag in deployed.items()} == {
        "erp.customers": {"import": set()},
        "erp.orders": {"import": set()},
        "erp.clicks": {"import": {"followers"}, "followers": set()},
        "daily": {"waits": {"build"}, "build": set()},
        "running": {"waits": {"build"}, "build": {"tests"}, "tests": set()},
        "week": {"waits": {"build"}, "build": set()},
        "wrong": {"build": set()},
        "hourly": {"waits": {"build"}, "build": set()},
        "quarters": {"waits": {"build"}, "build": set()},
        "stock": {
            "waits": {"build"},
            "build": {"followers"},
            "waits_of_followers": {"followers"},
            "followers": set(),
        },
        "by_station": {"freshness": {"build"}, "build": set()},
    }


def test_a_dag_carries_what_its_yaml_says(deployed):
    dag = deployed["daily"]
    assert dag.tags == {"subject:sales", "owner:finance", "finance"}
    assert dag.owner == "finance"
    assert dag.timetable._expression == "0 4 * * *"
    build, waits = dag.get_task("build"), dag.get_task("waits")
    assert (build.pool, waits.pool, build.priority_weight, build.retries) == ("duckdb", "default_pool", 2, 3)
    assert build.execution_timeout and build.retry_exponential_backoff
    for said in ("Orders and clicks of a day.", "[erp.orders](/dags/erp.orders)", "[week](/dags/week)", "cross join"):
        assert said in dag.doc_md
    late = deployed["erp.orders"]
    assert [alert.interval for alert in late.deadline] == [timedelta(hours=30)]
    assert late.get_task("import").pool == "source_erp"
    assert set(late.params) == {"ds", "open_period", "accept", "allow_empty"}
    assert set(deployed["erp.customers"].params) == {"ds", "open_period", "accept", "allow_empty", "as_of_now"}


@pytest.mark.parametrize(
    ("run_type", "params", "late_snapshot", "taken"),
    [
        ("scheduled", {}, "take", True),
        ("scheduled", {}, "refuse", False),
        ("backfill", {}, "take", False),
        ("manual", {}, "take", False),
        ("manual", {"as_of_now": True}, "take", True),
    ],
)
def test_only_the_schedule_takes_a_late_snapshot_unasked(deployed, run_type, params, late_snapshot, taken):
    task = copy.copy(deployed["erp.customers"].get_task("import"))
    task.table = replace(task.table, meta={**task.table.meta, "late_snapshot": late_snapshot})
    context = {"params": params, "dag_run": SimpleNamespace(run_type=run_type)}
    assert task._as_of_now(context, "2013-01-05") is taken


def test_tasks_that_compute_at_once_share_the_machine_s_memory(deployed, monkeypatch):
    build = deployed["daily"].get_task("build")
    monkeypatch.delenv("DAYSLICE_MEMORY", raising=False)
    slots = build.deployment.pools["duckdb"]
    assert slots >= 2
    assert build.memory() == {"DAYSLICE_MEMORY": memory_limit(slots).removesuffix("iB")}
    monkeypatch.setenv("DAYSLICE_MEMORY", "2G")  # of one process, as it always is
    assert build.memory() == {}
    elsewhere = copy.copy(build)
    elsewhere.deployment = replace(build.deployment, pools={"trino": 8})
    assert elsewhere.memory() == {}


def test_a_task_s_process_builds_its_own_dag_only(project, serve, monkeypatch):
    serve(project)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "daily")
    assert [dag.dag_id for dag in dags.deployed_dags()] == ["daily"]


def test_a_table_whose_dag_cannot_be_made_is_an_import_error_and_the_others_stay(project, serve, deployed, monkeypatch):
    serve(project)
    make = dags.table_dag

    def fails_for_one(deployment, table):
        if table.dag_id == "week":
            raise ValueError("nobody expected this")
        return make(deployment, table)

    monkeypatch.setattr(dags, "table_dag", fails_for_one)
    folder = project.home / "deployed" / "local" / "dags"
    bag = BundleDagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="dags-folder")
    assert set(bag.dags) == set(deployed) - {"week"}
    assert bag.import_errors == {"dayslice_dags.py": "DeploymentRefused: week: ValueError: nobody expected this"}


def test_a_refused_deployment_is_an_import_error_and_the_dags_stay(project, serve, deployed):
    serve(project)
    dags.raise_last_failure()
    failed = project.home / "deployed" / "local" / "failed.json"
    failed.write_text('{"error": "models/erp.yml:7: orders: unknown key"}')
    with pytest.raises(dags.DeploymentRefused, match=r"models/erp.yml:7: orders: unknown key"):
        dags.raise_last_failure()
    assert {dag.dag_id for dag in dags.deployed_dags()} == set(deployed)
    failed.unlink()


def test_nothing_deployed_is_an_import_error(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYSLICE_HOME", str(tmp_path))
    with pytest.raises(dags.DeploymentRefused, match="run dayslice airflow deploy"):
        list(dags.deployed_dags())


def test_serialized_dags_come_back(deployed):
    from airflow.serialization.serialized_objects import DagSerialization  # noqa: PLC0415

    for dag in deployed.values():
        back = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        assert isinstance(back.timetable, SliceTimetable), "its plugin is registered"
        assert set(back.task_dict) == {task.task_id for task in dag.tasks}


class Run:
    def __init__(self, kind, conf=None):
        self.run_type, self.conf = kind, conf


def context(logical=None, ds=None, kind="scheduled"):
    return {"logical_date": logical, "params": {"ds": ds}, "dag_run": Run(kind)}


@pytest.mark.parametrize("library", [lambda moment: moment, pendulum.instance, coerce_datetime])
@pytest.mark.parametrize(
    ("grain", "zone", "logical", "ds"),
    [
        ("day", "UTC", "2018-03-01T00:30", "2018-03-01"),
        ("day", "America/New_York", "2018-03-01T05:30", "2018-03-01"),
        ("day", "America/New_York", "2018-03-01T04:30", "2018-02-28"),
        ("hour", "UTC", "2018-03-01T13:05", "2018-03-01T13"),
        ("15min", "UTC", "2018-03-01T13:17", "2018-03-01T1315"),
        ("15min", "Asia/Kathmandu", "2018-03-01T13:17", "2018-03-01T1900"),
    ],
)
def test_the_ds_is_the_period_of_the_logical_date_in_times_of_any_library(library, grain, zone, logical, ds):
    moment = library(datetime.fromisoformat(logical).replace(tzinfo=UTC))
    assert ds_of(context(moment), Grain(grain), ZoneInfo(zone)) == ds


def test_a_parameter_wins():
    moment = datetime(2018, 3, 1, tzinfo=UTC)
    assert ds_of(context(moment, "2017-01-01", "manual"), Grain.DAY, ZoneInfo("UTC")) == "2017-01-01"


@pytest.mark.parametrize(
    ("logical", "ds", "kind", "said"),
    [
        (None, None, "manual", "no logical date, .* such as 2018-03-01"),
        (None, "yesterday", "manual", "parameter ds: 'yesterday' is no ds"),
        (None, "2018-03-01T13", "manual", "this needs day"),
        (datetime.now(UTC), None, "manual", 'is not over before .* trigger it with {"open_period": true}'),
        (None, "2099-01-01", "manual", "2099-01-01 is not over before"),
        (None, "2099-01-01", "backfill", "2099-01-01 is not over before"),
    ],
)
def test_a_run_without_a_ds_fails_and_is_not_tried_again(logical, ds, kind, said):
    with pytest.raises(AirflowFailException, match=said):
        ds_of(context(logical, ds, kind), Grain.DAY, ZoneInfo("UTC"))


def test_a_period_that_is_not_over_is_taken_where_it_is_asked_for():
    asked = context(None, "2099-01-01", "manual")
    asked["params"]["open_period"] = True
    assert ds_of(asked, Grain.DAY, ZoneInfo("UTC")) == "2099-01-01"


def test_a_mistyped_key_of_a_run_s_conf_is_refused_and_named(deployed):
    run = {
        **context(datetime(2018, 3, 1, tzinfo=UTC)),
        "dag": deployed["daily"],
        "dag_run": Run("manual", {"dss": "x"}),
    }
    with pytest.raises(AirflowFailException, match="conf: 'dss' is no parameter of daily; known are ds, open_period"):
        ds_of(run, Grain.DAY, ZoneInfo("UTC"))


TOLD = []


def hear(told):
    TOLD.append(told)


def tell_late(home, context, zone="UTC", late_after="6h"):
    place = {"kind": "sqlite", "at": str(home / "metastore.sqlite")}
    asyncio.run(callbacks.late("daily", late_after, "day", zone, "erp", "daily", place, context=context))


@pytest.mark.parametrize("stands", [True, False])
def test_a_long_day_is_late_by_its_own_end_and_not_if_it_stands_by_then(tmp_path, stands, monkeypatch):
    """New York's day of 25 hours: Airflow calls two hours early, as the shortest day of the year has 23."""
    monkeypatch.setenv("DAYSLICE_ON_LATE", f"{__name__}.hear")
    TOLD.clear()
    slept = []

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2018, 11, 5, 9, 0, tzinfo=UTC)

    async def sleep(seconds):
        slept.append(seconds)
        if stands:
            land_slice(tmp_path, Table("erp", "daily"), "2018-11-04", "select 1", "id int")

    monkeypatch.setattr(callbacks, "datetime", Clock)
    monkeypatch.setattr(callbacks.asyncio, "sleep", sleep)
    run = {"dag_id": "daily", "dag_run_id": "scheduled__1", "logical_date": "2018-11-04T04:00:00Z"}
    tell_late(tmp_path, {"dag_run": run}, "America/New_York")
    assert slept == [2 * 3600], "the day ends at 05:00 in UTC, and it is late at 11:00"
    assert [told["ds"] for told in TOLD] == ([] if stands else ["2018-11-04"])


@pytest.mark.parametrize(("kind", "times"), [("scheduled", 1), ("backfill", 0), ("manual", 0)])
def test_the_operator_s_function_hears_of_a_late_run(kind, times, monkeypatch, tmp_path):
    monkeypatch.setenv("DAYSLICE_ON_LATE", f"{__name__}.hear")
    TOLD.clear()
    run = {"dag_id": "daily", "dag_run_id": "scheduled__1", "run_type": kind, "logical_date": "2018-03-01T00:30:00Z"}
    tell_late(tmp_path, {"dag_run": run})
    assert [(told["table"], told["ds"], told["run_id"], told["late_after"]) for told in TOLD] == [
        ("daily", "2018-03-01", "scheduled__1", "6h")
    ] * times


@pytest.mark.parametrize(
    ("params", "logical", "ds"),
    [
        ({"ds": "2013-01-05"}, None, "2013-01-05"),
        ({}, pendulum.datetime(2013, 1, 6, 4), "2013-01-06"),
        ({}, None, None),
    ],
)
def test_the_operator_s_function_hears_the_ds_of_what_failed(deployed, params, logical, ds, monkeypatch):
    monkeypatch.setenv("DAYSLICE_ON_FAILURE", f"{__name__}.hear")
    TOLD.clear()
    task = SimpleNamespace(dag_id="daily", task_id="build", run_id="manual__1")
    callbacks.failed(
        {"ti": task, "dag": deployed["daily"], "params": params, "logical_date": logical, "exception": "!"}
    )
    assert [(told["ds"], told["logical_date"] is None, told["error"]) for told in TOLD] == [(ds, logical is None, "!")]


def test_alerts_tell_of_a_failed_run_and_no_log_or_dag_has_their_address(deployed, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    task = SimpleNamespace(dag_id="daily", task_id="build", run_id="manual__1")
    with web_hook() as (address, heard):
        monkeypatch.setenv("DAYSLICE_ALERTS", address)
        params = {"params": {"ds": "2013-01-05"}, "logical_date": None, "exception": "the source does not answer"}
        callbacks.failed({"ti": task, "dag": deployed["daily"], **params})
        run = {"dag_id": "daily", "run_type": "scheduled", "logical_date": "2018-03-01T00:30:00Z"}
        tell_late(tmp_path, {"dag_run": run})
        told = [str(DagSerialization.to_dict(dag)) for dag in dags.deployed_dags()]
        shown = [
            str({name: getattr(each, name) for name in each.template_fields})
            for dag in dags.deployed_dags()
            for each in dag.tasks
        ]
        callback = next(dags.deployed_dags()).tasks[0].on_failure_callback
    ((_, title, message),) = heard
    assert title == "Dayslice: daily 2013-01-05 failed"
    assert "the source does not answer" in message
    assert callback
    assert "told 0 causes to 1 of 1" in caplog.text
    assert SECRET not in caplog.text + "".join(told) + "".join(shown)


def test_the_note_of_a_triggered_run_has_its_ds(deployed):
    run = SimpleNamespace(
        dag=SimpleNamespace(timetable=deployed["erp.clicks"].timetable),
        run_type="manual",
        run_id="manual__1",
        note=None,
        conf={},
        logical_date=pendulum.datetime(2013, 1, 5, 4, 30),
    )
    notes.on_dag_run_running(run, "started")
    assert run.note == "ds 2013-01-05T04"
    notes.on_dag_run_running(SimpleNamespace(**{**vars(run), "logical_date": None, "note": None}), "started")


def test_a_function_that_fails_fails_nothing_else(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("DAYSLICE_ON_LATE", "no.such.function")
    tell_late(tmp_path, {})
    assert "DAYSLICE_ON_LATE=no.such.function could not be called" in caplog.text
