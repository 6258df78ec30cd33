"""A real Airflow whose scheduler is killed while a task is at work, and one that comes back after days."""

import contextlib
import os
import signal
import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.airflow.running_airflow import until
from tests.airflow.slow_table import ROWS, SlowTable
from tests.local_files import all_versions, move_slices, readers

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1200)]
# Of two missed runs Airflow by itself makes both: the one that it had already planned, and the last one.
AWAY_DAYS = 3
TABLES = ("of_the_day", "so_far")
FILES = {
    "of_the_day.sql": "select 1 as n",
    "so_far.sql": """
select d.n + coalesce((select max(n) from {{ slice(this, -1) }}), 0) as n
from {{ slice('of_the_day') }} as d
""",
    # Far from now, so that no run becomes due while the test is at it.
    "outage.yml": """
models:
  - {{name: of_the_day, config: {{meta: {{owner: a, schedule: "{schedule}"}}}}}}
  - {{name: so_far, columns: [{{name: n, data_type: bigint}}], config: {{meta: {{owner: a, schedule: "{schedule}"}}}}}}
""",
}


def rows(airflow, sql, *values):
    with readers(airflow.home) as connection:
        return connection.execute(sql, values).fetchall()


def slices(airflow, table):
    """Its rows, by ds."""
    return rows(airflow, f"select ds, n from analytics.{table} order by ds")


def versions(airflow, table):
    """The ds of all versions that were ever published, in the order in which that was."""
    return [ds for name, ds, _, _ in all_versions(airflow.home) if name == table]


def runs(airflow, dag):
    """Its scheduled runs, oldest first."""
    return airflow.api().get(f"dags/{dag}/dagRuns", run_type="scheduled", order_by="logical_date")["dag_runs"]


def states(airflow, dag):
    """The ds and the state of each of them."""
    return [(each["logical_date"][:10], each["state"]) for each in runs(airflow, dag)]


def log_of_waits(airflow, dag):
    """Of the last one."""
    folder = airflow.airflow_home / "logs" / f"dag_id={dag}" / f"run_id={runs(airflow, dag)[-1]['dag_run_id']}"
    return "\n".join(file.read_text() for file in (folder / "task_id=waits").iterdir())


@pytest.fixture(scope="module")
def airflow(airflow_instance):
    hour = (datetime.now(UTC) + timedelta(hours=12)).hour
    for name, text in FILES.items():
        content = text.format(schedule=f"0 {hour} * * *") if name.endswith("yml") else text
        (airflow_instance.root / "models" / name).write_text(content)
    assert airflow_instance.run("airflow", "deploy").returncode == 0
    return airflow_instance


def test_a_slice_whose_build_dies_with_the_scheduler_is_published_once(airflow):
    slow = SlowTable(airflow.root, "killed_at_work")
    run_id = slow.begin(airflow)
    scheduler = airflow.service("scheduler")
    os.kill(scheduler.process().pid, signal.SIGKILL)
    assert airflow.run("airflow", "up").returncode == 0
    assert not versions(airflow, slow.name)
    slow.let_go()
    # Well within the five minutes that Airflow itself lets pass.
    until(lambda: airflow.state(slow.name, run_id) == "success", 240, 1.0)
    [(ds, _)] = states(airflow, slow.name)
    assert slices(airflow, slow.name) == [(ds, ROWS)]
    assert versions(airflow, slow.name) == [ds]
    assert not list((airflow.home / "staging").glob(f"*__{slow.name}__*"))
    events = airflow.api().get("assets/events", limit=1000)["asset_events"]
    assert [each["partition_key"] for each in events if each["source_dag_id"] == slow.name] == [ds]


@pytest.fixture
def away(airflow):
    """The last scheduled run of each table was days ago, as Airflow and the warehouse remember it, and Airflow is
    down. The ds of that run.
    """
    api = airflow.api()
    until(lambda: set(TABLES) <= {dag["dag_id"] for dag in api.get("dags", limit=1000)["dags"]}, 240)
    for table in TABLES:
        api.patch(f"dags/{table}", {"is_paused": False})
    until(lambda: all([state for _, state in states(airflow, table)] == ["success"] for table in TABLES), 240, 1.0)
    [(last, _)] = states(airflow, TABLES[0])
    assert [slices(airflow, table) for table in TABLES] == [[(last, 1)]] * 2
    assert airflow.run("airflow", "down").returncode == 0
    days = [date.fromisoformat(last) + timedelta(days=n) for n in range(4)]
    earlier = {str(day): str(day - timedelta(days=AWAY_DAYS)) for day in days}
    put_back(airflow, earlier)
    for table in TABLES:
        move_slices(airflow.home, table, {last: earlier[last]})
    return earlier[last]


def put_back(airflow, earlier):
    """Each date in what Airflow's database holds of the tables becomes an earlier one."""
    with contextlib.closing(sqlite3.connect(airflow.airflow_home / "airflow.db")) as connection, connection:
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            columns = [row[1] for row in connection.execute(f'pragma table_info("{name}")')]
            for column in columns if "dag_id" in columns else []:
                # Oldest first: what has become an earlier day is none of the later ones.
                for day in sorted(earlier):
                    connection.execute(
                        f'update "{name}" set "{column}" = replace("{column}", ?, ?) '
                        f"where dag_id in (?, ?) and typeof(\"{column}\") = 'text'",
                        (day, earlier[day], *TABLES),
                    )


def test_after_an_outage_of_days_every_slice_is_there_and_in_order(airflow, away):
    days = [str(date.fromisoformat(away) + timedelta(days=n)) for n in range(AWAY_DAYS + 1)]
    assert airflow.run("airflow", "up").returncode == 0
    made_up_for = [(day, "success") for day in days]
    until(lambda: all(states(airflow, table) == made_up_for for table in TABLES), 300, 1.0)
    assert slices(airflow, "of_the_day") == [(day, 1) for day in days]
    assert slices(airflow, "so_far") == [(day, n + 1) for n, day in enumerate(days)]
    # Each once, and a day of the second only when that before it stood.
    assert sorted(versions(airflow, "of_the_day")) == days
    assert versions(airflow, "so_far") == days
    assert f"analytics.so_far {days[-2]}" in log_of_waits(airflow, "so_far")
