"""Three days of the whole demo on a real Airflow: out of order, one upstream late, one audit that fails, one task
cleared, and the scheduler killed in the middle.
"""

import signal
import subprocess
from collections import Counter

import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from dayslice.errors import DaysliceError
from dayslice.orchestration.instance import PROCESSES
from tests.airflow import told
from tests.airflow.running_airflow import REPOSITORY, until
from tests.local_files import all_versions, readers
from tests.warm.programs import program

pytestmark = [pytest.mark.airflow, pytest.mark.demo, pytest.mark.timeout(1500)]
DAYS = ["2013-01-01", "2013-01-02", "2013-01-03"]
LATE = ("erp.weather", "2013-01-02")
IMPORTS = ["erp.airlines", "erp.airports", "erp.flights", "erp.planes", "erp.weather"]
MODELS = ["flights_flat", "airport_daily", "carrier_metrics", "company_metrics", "route_delays_7d"]
SNAPSHOTS = {"erp.airlines", "erp.airports", "erp.planes"}
OVER = ("success", "failed")
# What cannot be computed without it.
OF_THE_LATE = [
    *((name, "2013-01-02") for name in (*MODELS, "audited")),
    *((name, "2013-01-03") for name in ("carrier_metrics", "company_metrics", "route_delays_7d")),
]
# Refused on the second day, until its author has mended it.
AUDITED = """
select
    {value} as flights
from {{{{ slice('flights_flat') }}}}
"""
WRONG = "case when '{{ ds() }}' = '2013-01-02' then null else count(*) end"
AUDITED_YAML = """
models:
  - name: audited
    config: {meta: {owner: flight-data, slice: events, late_after: 31m}}
    columns: [{name: flights, data_tests: [not_null]}]
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory, airflow_instance, make_home):
    """The same three days by `dayslice demo`, as counts of rows; and its source, brought to the Airflow's home."""
    home = make_home() / "home"
    command = [program("dayslice"), "demo", "--days", "3"]
    env = {**airflow_instance.environment, "DAYSLICE_HOME": str(home)}
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("demo", "connections.yml"):  # with its owner: PostgreSQL's files are not root's
        subprocess.run(["cp", "-a", str(home / name), str(airflow_instance.home)], check=True)
    found = contents(home)
    # The source stands as it stood on the last day: so does every snapshot that is taken of it now.
    last = {row: count for row, count in found["erp.planes"].items() if DAYS[-1] in row}
    found["erp.planes"] = Counter(
        {
            tuple(ds if value == DAYS[-1] else value for value in row): count
            for row, count in last.items()
            for ds in DAYS
        }
    )
    return found


def contents(home):
    """The rows of every table of the demo, as often as each occurs, for the three days."""
    with readers(home) as connection:
        connection.execute("set timezone to 'UTC'")
        found = {}
        for table in (*IMPORTS, *(f"analytics.{name}" for name in MODELS)):
            columns = sorted(each[0] for each in connection.execute(f"describe {table}").fetchall())
            rows = connection.execute(f"select {', '.join(columns)} from {table} where ds <= '{DAYS[-1]}'").fetchall()
            found[table] = Counter(rows)
        return found


def versions(home):
    """The published version of each slice of the three days."""
    rows = [row[:3] for row in all_versions(home) if row[3]]
    return {(table, ds): version for table, ds, version in rows if ds in DAYS and table != "one_row"}


class ThreeDays:
    """The DAG runs of it all, known by DAG and ds. SQLite is at times locked by Airflow's own processes: ask again."""

    again = Retrying(retry=retry_if_exception_type(DaysliceError), stop=stop_after_attempt(20), wait=wait_fixed(1))

    def __init__(self, airflow):
        self.airflow, self.runs = airflow, {}
        self.api = airflow.api()

    def unpause(self, dag_ids):
        for dag_id in dag_ids:
            self.again(self.api.patch, f"dags/{dag_id}", {"is_paused": False})

    def begin(self, dag_id, ds):
        conf = {"as_of_now": True} if dag_id in SNAPSHOTS else {}
        run = {"logical_date": f"{ds}T12:00:00Z", "dag_run_id": f"{dag_id}~{ds}", "conf": conf}
        self.again(self._post_run, dag_id, run)
        self.runs[dag_id, ds] = run["dag_run_id"]

    def _post_run(self, dag_id, run):
        if run["dag_run_id"] not in self.listed():
            self.api.post(f"dags/{dag_id}/dagRuns", run)

    def listed(self):
        runs = self.api.get("dags/~/dagRuns", limit=100, order_by="-run_after")["dag_runs"]
        return {each["dag_run_id"]: each["state"] for each in runs}

    def states(self):
        listed = self.again(self.listed)
        return {each: listed[run_id] for each, run_id in self.runs.items()}

    def task(self, dag_id, ds, task_id):
        path = f"dags/{dag_id}/dagRuns/{self.runs[dag_id, ds]}/taskInstances/{task_id}"
        return self.again(self.api.get, path)["state"]

    def over(self, *but):
        return all(state in OVER for each, state in self.states().items() if each not in but)

    def busy(self):
        """What is at work or about to be: one that dies with its scheduler is missed for five minutes."""
        states = ("running", "queued", "scheduled", "up_for_retry")
        found = self.again(self.api.get, "dags/~/dagRuns/~/taskInstances", state=states)["task_instances"]
        return [(each["dag_run_id"], each["task_id"], each["state"], each["try_number"]) for each in found]

    def left(self):
        """What is not over, for a person."""
        runs = [each for each, state in self.states().items() if state not in OVER]
        ended = [name for name in PROCESSES if self.airflow.service(name).process() is None]
        # In CI a message is cut off: its end is what is printed besides.
        for name in PROCESSES:
            lines = (self.airflow.airflow_home / name / "log").read_text(errors="replace").splitlines()
            said = [each for each in lines if any(word in each.lower() for word in ("error", "failed", "locked"))]
            print(f"{name} says, of {len(said)} such lines: ", *said[-10:], sep="\n  ")
        return f"not over: {runs}; busy: {self.busy()}; processes that are gone: {ended}"

    def clear(self, dag_id, ds, task_id):
        body = {"dry_run": False, "dag_run_id": self.runs[dag_id, ds], "task_ids": [task_id], "only_failed": False}
        self.again(self.api.post, f"dags/{dag_id}/clearTaskInstances", body)


@pytest.fixture(scope="module")
def three_days(airflow_instance, expected):
    airflow = airflow_instance
    (airflow.root / "models" / "audited.sql").write_text(AUDITED.format(value=WRONG))
    (airflow.root / "models" / "audited.yml").write_text(AUDITED_YAML)
    assert airflow.run("airflow", "deploy").returncode == 0
    run = ThreeDays(airflow)
    until(lambda: "audited" in {dag["dag_id"] for dag in run.api.get("dags", limit=1000)["dags"]}, 120)
    run.unpause([*IMPORTS, *MODELS, "audited"])
    # The last day first, and the readers before what they read.
    for ds in reversed(DAYS):
        for dag_id in [*reversed(MODELS), "audited", *IMPORTS]:
            if (dag_id, ds) != LATE:
                run.begin(dag_id, ds)
    # What waits for the late one is all that is left; then the scheduler dies, and comes back.
    until(lambda: run.over(*OF_THE_LATE) and not run.busy(), 900, 2.0, run.left)
    assert {run.task(*each, "waits") for each in OF_THE_LATE} == {"deferred"}
    kill(airflow.service("scheduler"))
    assert airflow.run("airflow", "up").returncode == 0
    run.begin(*LATE)
    until(run.over, 900, 2.0, run.left)
    return run


def kill(service):
    for process in service.family():
        process.send_signal(signal.SIGKILL)


def test_every_slice_is_there_and_right(three_days, expected):
    states = three_days.states()
    assert {each for each, state in states.items() if state != "success"} == {("audited", "2013-01-02")}
    assert contents(three_days.airflow.home) == expected


def test_each_slice_was_published_once_and_the_refused_one_never(three_days):
    wanted = {(name, ds) for name in (*IMPORTS, *MODELS, "audited") for ds in DAYS} - {("audited", "2013-01-02")}
    assert set(versions(three_days.airflow.home)) == {(name.removeprefix("erp."), ds) for name, ds in wanted}
    # Each publication is an event with its ds, for those who build on assets.
    events = three_days.again(three_days.api.get, "assets/events", limit=200)["asset_events"]
    told = Counter((each["source_dag_id"], each["partition_key"]) for each in events)
    assert {each: count for each, count in told.items() if each[1] in DAYS} == dict.fromkeys(wanted, 1)
    assert three_days.task("audited", "2013-01-02", "build") == "failed"


def test_the_operator_is_told_of_what_failed_and_of_what_is_late(three_days):
    # The run of yesterday that Airflow began by itself when the DAG was unpaused: its deadline was over by then.
    def late():
        return {(kind, table, run_id.split("_")[0]) for kind, table, run_id in told.read(three_days.airflow)}

    until(lambda: ("late", "audited", "scheduled") in late(), 120, 1.0)
    assert ("failed", "audited", three_days.runs["audited", "2013-01-02"]) in told.read(three_days.airflow)
    assert {run_id for kind, _, run_id in told.read(three_days.airflow) if kind == "late"}.isdisjoint(
        three_days.runs.values()
    ), "nobody is told that a run by hand of the past is late"


def test_a_mended_model_is_cleared_and_one_that_stands_is_made_again(three_days):
    airflow = three_days.airflow
    (airflow.root / "models" / "audited.sql").write_text(AUDITED.format(value="count(*)"))
    assert airflow.run("airflow", "deploy").returncode == 0
    before = versions(airflow.home)
    three_days.clear("audited", "2013-01-02", "build")
    three_days.clear("flights_flat", "2013-01-01", "build")

    def changed():
        now = versions(airflow.home)
        return {each for each in now if now[each] != before.get(each)}

    wanted = {("audited", "2013-01-02"), ("flights_flat", "2013-01-01")}
    until(lambda: changed() == wanted, 120, 1.0)
    until(three_days.over, 60, 1.0)
    assert changed() == wanted, "and nothing else"
