"""`dayslice airflow up`, `status`, `wipe` and `down`, on one real Airflow for all tests."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
from dataclasses import dataclass

import duckdb
import psutil
import pytest
import requests

from dayslice.errors import DaysliceError, UsageError
from dayslice.orchestration.instance import AirflowInstance
from dayslice.orchestration.start import Migration
from dayslice.orchestration.wipe import wipe
from dayslice.services.service import free_port
from dayslice.services.stack.postgres import USER, MetastoreDatabase
from tests.airflow.running_airflow import PROCESSES, until
from tests.airflow.slow_table import SlowTable
from tests.local_files import all_versions

pytestmark = pytest.mark.airflow
DAG = "one_row"
DS = "2013-01-05"


@pytest.fixture(scope="module")
def ran(airflow_instance):
    """A run of one DAG to its end."""
    run_id = airflow_instance.trigger(DAG, f"{DS}T12:00:00Z")
    until(lambda: airflow_instance.state(DAG, run_id) in ("success", "failed"), 120)
    assert airflow_instance.state(DAG, run_id) == "success"
    return run_id


def slices(airflow):
    with duckdb.connect(str(airflow.home / "dayslice.duckdb"), read_only=True) as connection:
        return connection.execute(f"select n, ds from analytics.{DAG} order by ds").fetchall()


def runs_over(airflow, dag):
    runs = airflow.api().get(f"dags/{dag}/dagRuns")["dag_runs"]
    return {each["state"] for each in runs} <= {"success", "failed"}


def rows_that_name(airflow, dag):
    """How many rows of each table of the metadata database name the DAG in some column."""
    found = {}
    with contextlib.closing(sqlite3.connect(airflow.airflow_home / "airflow.db")) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f'pragma table_info("{table}")')]
            where = " or ".join(f'cast("{column}" as text) = ?' for column in columns)
            count = connection.execute(f'select count(*) from "{table}" where {where}', [dag] * len(columns))
            found[table] = count.fetchone()[0]
    return {table: count for table, count in found.items() if count}


def wiped(airflow, dag):
    """Wipe the DAG and its logs; what still names it then."""
    # It would be there again at once, as its file is.
    dag_processor = airflow.service("dag-processor").process().pid
    os.kill(dag_processor, signal.SIGSTOP)
    try:
        done = airflow.run("airflow", "wipe", dag, "--logs", "--yes")
        left = rows_that_name(airflow, dag)
    finally:
        os.kill(dag_processor, signal.SIGCONT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Dayslice's Airflow forgot {dag}, and its logs\n"
    return left


@dataclass(frozen=True)
class AtWork:
    """A run whose build is in its query, and the processes of it."""

    dag: str
    run_id: str
    processes: list[psutil.Process]


@pytest.fixture(scope="module")
def at_work(airflow_instance):
    slow = SlowTable(airflow_instance.root, "wiped_at_work")
    run_id = slow.begin(airflow_instance)
    until(lambda: writers(airflow_instance), 60)
    yield AtWork(slow.name, run_id, writers(airflow_instance))
    slow.let_go()


def writers(airflow):
    """The scheduler's processes that write a version: each holds its note open."""
    notes = str(airflow.home / "staging")
    family = airflow.service("scheduler").family()
    return [process for process in family if any(file.startswith(notes) for file in opened(process))]


def opened(process):
    with contextlib.suppress(psutil.Error):
        return {file.path for file in process.open_files()}
    return set()


def test_of_two_starts_at_once_one_starts_and_one_says_that_it_runs(airflow_instance):
    assert airflow_instance.said.count("is up: ") == airflow_instance.said.count("runs already: ") == 1
    before = airflow_instance.processes()
    again = airflow_instance.run("airflow", "up")
    assert again.returncode == 0
    assert f"runs already: http://127.0.0.1:{airflow_instance.port}" in again.stdout
    assert airflow_instance.processes() >= before
    other = airflow_instance.run("airflow", "up", "--port", str(free_port()))
    assert other.returncode == 2
    assert f"runs on port {airflow_instance.port}: end it first, with dayslice airflow down" in other.stderr


def test_the_password_is_shown_once_and_a_new_one_replaces_it(airflow_instance):
    [password] = re.findall(r"password (\S+) \(shown once", airflow_instance.said)
    login = f"http://127.0.0.1:{airflow_instance.port}/auth/token"
    assert requests.post(login, json={"username": "admin", "password": password}, timeout=30).ok
    new = json.loads(airflow_instance.run("airflow", "up", "--new-password", "--json").stdout)
    assert new["was_running"]
    assert requests.post(login, json={"username": "admin", "password": new["password"]}, timeout=30).ok
    assert requests.post(login, json={"username": "admin", "password": password}, timeout=30).status_code == 401


def test_secrets_are_in_no_process_list_no_log_and_in_files_of_the_owner_only(airflow_instance):
    home = airflow_instance.airflow_home
    secrets = {name: json.loads((home / name).read_text()) for name in ("secrets.json", "passwords.json")}
    values = {value for each in secrets.values() for value in each.values()}
    assert len(values) == 4
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            assert not any(value in " ".join(process.cmdline()) for value in values)
    for file in (each for each in home.rglob("*") if each.is_file() and each.name not in secrets):
        assert not any(value.encode() in file.read_bytes() for value in values), file
    assert [(home / name).stat().st_mode & 0o777 for name in secrets] == [0o600, 0o600]
    assert home.stat().st_mode & 0o077 == 0


def test_it_listens_on_loopback_only(airflow_instance):
    connections = [each for process in airflow_instance.processes() for each in process.net_connections("inet")]
    listening = {tuple(each.laddr) for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", airflow_instance.port)}


def test_status_shows_processes_and_health(airflow_instance):
    done = airflow_instance.run("airflow", "status", "--json")
    status = json.loads(done.stdout)
    assert done.returncode == 0
    assert [each["running"] for each in status["processes"]] == [True] * 4
    assert {part["status"] for part in status["health"].values()} == {"healthy"}
    assert (status["url"], status["target"]) == (f"http://127.0.0.1:{airflow_instance.port}", "local")
    staging = airflow_instance.run("airflow", "status", "--staging")
    assert staging.returncode == 1
    assert "dayslice airflow up --staging makes one" in staging.stdout


def test_pools_are_made_and_keep_the_slots_that_somebody_gives_them(airflow_instance):
    api = airflow_instance.api()
    before = {pool["name"]: pool["slots"] for pool in api.get("pools")["pools"]}
    pool = {"pool": "duckdb", "include_deferred": False}
    api.patch("pools/duckdb", {**pool, "slots": 3}, update_mask=["slots"])
    deployed = json.loads(airflow_instance.run("airflow", "deploy", "--json").stdout)["pools"]
    assert deployed.keys() == {"duckdb", "source_erp"}
    assert deployed.items() <= before.items()
    assert api.get("pools/duckdb")["slots"] == 3
    api.patch("pools/duckdb", {**pool, "slots": before["duckdb"]}, update_mask=["slots"])


def test_a_taken_port_is_named_with_another(airflow_instance, tmp_path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = airflow_instance.run("airflow", "up", "--port", str(port), DAYSLICE_HOME=str(tmp_path / "home"))
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr
    assert f"dayslice airflow up --port {port + 10}" in done.stderr


def test_another_database_than_its_own_is_refused(airflow_instance):
    given = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://user:secret@db.example/airflow"}
    done = airflow_instance.run("airflow", "wipe", DAG, "--yes", **given)
    assert done.returncode == 2
    assert "was made with the metadata database sqlite" in done.stderr
    assert "postgresql://db.example/airflow" in done.stderr
    assert "secret" not in done.stderr


@pytest.fixture
def in_postgresql(airflow_instance, make_home, monkeypatch):
    """Another Airflow of the same project, not started, with its metadata in PostgreSQL; and the URL of that."""
    database = MetastoreDatabase(make_home() / "database", free_port())
    database.start()
    url = f"postgresql+psycopg2://{USER}:{database.password()}@127.0.0.1:{database.port}/postgres"
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", url)
    monkeypatch.setenv("DAYSLICE_HOME", str(make_home()))
    instance = AirflowInstance(airflow_instance.root)
    assert instance.prepare(free_port(), "local")
    yield instance, url
    database.service().stop()


def test_metadata_in_postgresql_and_a_process_that_dies_at_the_start(airflow_instance, in_postgresql, monkeypatch):
    instance, url = in_postgresql
    Migration(instance).end()
    listed = instance.run("pools", "list", "--output", "json")
    assert json.loads(listed.stdout)[0]["pool"] == "default_pool", listed.stderr
    assert not list(instance.home.glob("*.db"))
    with pytest.raises(UsageError, match="give this one its own"):
        AirflowInstance(airflow_instance.root, staging=True).prepare(free_port(), "staging")

    monkeypatch.setenv("AIRFLOW__TRIGGERER__CAPACITY", "many")
    with pytest.raises(DaysliceError, match="Airflow's triggerer stopped while it started; the end of") as said:
        instance.start(print)
    assert f"{instance.home / 'triggerer' / 'log'}:" in str(said.value)
    assert "many" in str(said.value)
    assert not list(instance.home.glob("*/pid"))
    assert not [each for each in psutil.process_iter(["environ"]) if str(instance.home) in str(each.info["environ"])]
    assert not [file for file in instance.home.rglob("*") if file.is_file() and url.encode() in file.read_bytes()]


def test_a_run_publishes_a_slice(airflow_instance, ran):
    assert (1, DS) in slices(airflow_instance)


def test_what_a_killed_scheduler_left_is_ended_and_up_starts_what_is_missing(airflow_instance, ran):
    scheduler = airflow_instance.service("scheduler")
    workers = set(scheduler.family()) - {scheduler.process()}
    others = {name: airflow_instance.service(name).process() for name in PROCESSES if name != "scheduler"}
    os.kill(scheduler.process().pid, signal.SIGKILL)
    until(lambda: scheduler.process() is None, 10)
    assert airflow_instance.run("airflow", "status").returncode == 1
    done = airflow_instance.run("airflow", "up")
    assert done.returncode == 0, done.stderr
    assert scheduler.process()
    assert workers
    assert not any(each.is_running() for each in workers)
    assert {name: airflow_instance.service(name).process() for name in others} == others


def test_down_leaves_no_process_and_up_brings_back_what_it_knew(airflow_instance, ran):
    run_id = airflow_instance.trigger(DAG, "2013-01-09T12:00:00Z")
    until(lambda: airflow_instance.state(DAG, run_id) != "queued", 60)
    before = airflow_instance.processes()
    assert len(before) > len(PROCESSES)
    assert airflow_instance.run("airflow", "down").returncode == 0
    assert not any(each.is_running() for each in before)
    home = str(airflow_instance.airflow_home)
    assert not [each for each in psutil.process_iter(["environ"]) if home in str(each.info["environ"])]
    assert "did not run" in airflow_instance.run("airflow", "down").stdout
    # It works on the state alone, too.
    assert airflow_instance.run("airflow", "wipe", "no_such", "--yes").returncode == 2
    up = airflow_instance.run("airflow", "up")
    assert up.returncode == 0, up.stderr
    assert f"is up: http://127.0.0.1:{airflow_instance.port}" in up.stdout, "on the port that it had"
    assert "password as shown" in up.stdout
    # On a busy machine it may have been cut off, and then it is tried again after a minute or two.
    until(lambda: airflow_instance.state(DAG, run_id) == "success", 300)


def test_wipe_asks_first(airflow_instance, ran):
    done = airflow_instance.run("airflow", "wipe", DAG, answer="n\n")
    assert done.returncode == 0
    assert "nothing was done" in done.stdout
    assert airflow_instance.state(DAG, ran) == "success"


def test_wipe_forgets_the_dag_and_its_logs_but_leaves_the_warehouse(airflow_instance, ran):
    # Airflow began the run of yesterday by itself when the DAG was unpaused.
    until(lambda: runs_over(airflow_instance, DAG), 120)
    before = slices(airflow_instance)
    assert rows_that_name(airflow_instance, DAG)["dag_run"]
    logs = airflow_instance.airflow_home / "logs" / f"dag_id={DAG}"
    assert list(logs.rglob("*.log"))
    left = wiped(airflow_instance, DAG)
    assert left.keys() <= {"log", "asset", "asset_active", "asset_event"}, left
    assert not logs.exists()
    assert slices(airflow_instance) == before


def test_wipe_while_a_task_runs_names_it_and_does_nothing(airflow_instance, at_work):
    before = rows_that_name(airflow_instance, at_work.dag)
    done = airflow_instance.run("airflow", "wipe", at_work.dag, "--logs", "--yes")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip() == (
        f"error: build of {at_work.run_id} runs on Dayslice's Airflow, so nothing was wiped: wait for its end, "
        f"or mark the run as failed on http://127.0.0.1:{airflow_instance.port}/dags/{at_work.dag}, and wipe then"
    )
    assert rows_that_name(airflow_instance, at_work.dag) == before
    assert airflow_instance.state(at_work.dag, at_work.run_id) == "running"
    assert all(each.is_running() for each in at_work.processes)


def test_wipe_of_two_airflows_does_nothing_while_a_task_runs_on_one(airflow_instance, at_work, monkeypatch):
    class Idle(AirflowInstance):
        known = None

        def running(self):
            return []

        def run(self, *arguments):
            pytest.fail(f"called: airflow {arguments}")

    monkeypatch.setenv("DAYSLICE_HOME", str(airflow_instance.home))
    two = [Idle(airflow_instance.root, staging=True), AirflowInstance(airflow_instance.root)]
    with pytest.raises(DaysliceError, match=r"build of .* runs on Dayslice's Airflow"):
        wipe(two, at_work.dag, logs=False)


def test_wipe_when_its_run_is_marked_as_failed_leaves_nothing_at_work_and_nothing_half_written(
    airflow_instance, at_work
):
    path = f"dags/{at_work.dag}/dagRuns/{at_work.run_id}"
    airflow_instance.api().patch(path, {"state": "failed"})
    left = wiped(airflow_instance, at_work.dag)
    assert left.keys() <= {"log", "asset", "asset_active", "asset_event"}, left
    until(lambda: not any(each.is_running() for each in at_work.processes), 60)
    assert not (airflow_instance.airflow_home / "logs" / f"dag_id={at_work.dag}").exists()
    assert not [name for name, *_ in all_versions(airflow_instance.home) if name == at_work.dag]


def test_wipe_names_a_dag_that_nobody_knows(airflow_instance):
    done = airflow_instance.run("airflow", "wipe", "flights_flatt", "--yes")
    assert done.returncode == 2
    assert "knows no DAG 'flights_flatt'" in done.stderr
