"""The DAGs as Airflow sees them, made from what is deployed."""

import asyncio
import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.timetables.base import DataInterval, TimeRestriction
from dayslice_airflow import callbacks, dags
from dayslice_airflow.run_ds import ds_of
from dayslice_airflow.timetable import CATCH_UP, SliceTimetable

from dayslice.rules.calendar import Grain
from tests.airflow.shapes import FILES


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(FILES)
    project.deploy()
    return project


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
        "erp.clicks": {"import": set()},
        "daily": {"waits": {"build"}, "build": set()},
        "running": {"waits": {"build"}, "build": {"tests"}, "tests": set()},
        "week": {"waits": {"build"}, "build": set()},
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
    assert [alert.interval for alert in late.deadline] == [timedelta(hours=29, minutes=30)]
    assert late.get_task("import").pool == "source_erp"
    assert set(late.params) == {"ds", "accept"}
    assert set(deployed["erp.customers"].params) == {"ds", "accept", "as_of_now"}


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


def test_a_task_s_process_builds_its_own_dag_only(project, serve, monkeypatch):
    serve(project)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "daily")
    assert [dag.dag_id for dag in dags.deployed_dags()] == ["daily"]


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


NOW = pendulum.datetime(2018, 3, 10, 12)
EVER = TimeRestriction(pendulum.datetime(1970, 1, 1), None, catchup=False)


@pytest.fixture
def noon(monkeypatch):
    for module in ("airflow.timetables.interval", "dayslice_airflow.timetable"):
        monkeypatch.setattr(f"{module}.utcnow", lambda: NOW)


def runs_until_now(timetable, last):
    starts = []
    while (info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=EVER)).run_after <= NOW:
        starts.append(info.data_interval.start.format("MM-DD HH:mm"))
        last = info.data_interval
    return starts


def test_the_first_run_is_of_the_last_period(noon):
    timetable = SliceTimetable("30 0 * * *", timezone="UTC")
    assert runs_until_now(timetable, None) == ["03-09 00:30"]


def test_after_an_outage_no_period_is_left_out(noon):
    timetable = SliceTimetable("30 0 * * *", timezone="UTC")
    before = DataInterval(pendulum.datetime(2018, 3, 6, 0, 30), pendulum.datetime(2018, 3, 7, 0, 30))
    assert runs_until_now(timetable, before) == ["03-07 00:30", "03-08 00:30", "03-09 00:30"]


def test_what_stood_still_for_long_makes_up_for_the_last_days_only(noon):
    timetable = SliceTimetable("30 0 * * *", timezone="UTC")
    before = DataInterval(pendulum.datetime(2017, 3, 6, 0, 30), pendulum.datetime(2017, 3, 7, 0, 30))
    assert len(runs_until_now(timetable, before)) == CATCH_UP.days - 1


def test_a_backfill_of_the_past_has_every_period_that_is_asked_for():
    timetable = SliceTimetable("30 0 * * *", timezone="UTC")
    asked = TimeRestriction(pendulum.datetime(2013, 1, 1), pendulum.datetime(2013, 1, 7, 23, 59, 59), catchup=True)
    runs, last = [], None
    while info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=asked):
        runs.append(info.logical_date.day)
        last = info.data_interval
    assert runs == list(range(1, 8))


class Run:
    def __init__(self, kind):
        self.run_type = kind


def context(logical=None, ds=None, kind="scheduled"):
    return {"logical_date": logical, "params": {"ds": ds}, "dag_run": Run(kind)}


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
def test_the_ds_is_the_period_of_the_logical_date(grain, zone, logical, ds):
    moment = datetime.fromisoformat(logical).replace(tzinfo=UTC)
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
        (datetime.now(UTC), None, "manual", "which is not over yet"),
    ],
)
def test_a_run_without_a_ds_fails_and_is_not_tried_again(logical, ds, kind, said):
    with pytest.raises(AirflowFailException, match=said):
        ds_of(context(logical, ds, kind), Grain.DAY, ZoneInfo("UTC"))


TOLD = []


def hear(told):
    TOLD.append(told)


@pytest.mark.parametrize(("kind", "times"), [("scheduled", 1), ("backfill", 0), ("manual", 0)])
def test_the_operator_s_function_hears_of_a_late_run(kind, times, monkeypatch):
    monkeypatch.setenv("DAYSLICE_ON_LATE", f"{__name__}.hear")
    TOLD.clear()
    run = {"dag_id": "daily", "dag_run_id": "scheduled__1", "run_type": kind, "logical_date": "2018-03-01T00:30:00Z"}
    asyncio.run(callbacks.late("daily", "6h", context={"dag_run": run}))
    assert [(told["table"], told["run_id"], told["late_after"]) for told in TOLD] == [
        ("daily", "scheduled__1", "6h")
    ] * times


def test_a_function_that_fails_fails_nothing_else(monkeypatch, caplog):
    monkeypatch.setenv("DAYSLICE_ON_LATE", "no.such.function")
    asyncio.run(callbacks.late("daily", "6h", context={}))
    assert "DAYSLICE_ON_LATE=no.such.function could not be called" in caplog.text
