"""What Airflow adds to one trivial table in projects of some sizes: a DAG run of ours beside Cosmos's plain DbtDag.

    python -m benchmarks.airflow_tasks [--tables 10 500 2000] [--rounds 3] [--idle 180] [--no-plain]

Both DAGs compute the same table of the same project, by the same LocalExecutor, in turn; of each the first run is not
counted (Cosmos keeps a parse from it). Seconds are Airflow's own: from a run's being queued to its end, and the sum of
its tasks from queued to done. `select 0` itself takes a few milliseconds.

Then, where nothing runs: the CPU of the dag-processor with all that it starts, as a share of a core (its settings are
production's), and how long after a deployment's end a new table is a DAG of Airflow's.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.airflow_project import deployed_project
from dayslice.orchestration.api import AirflowApi
from dayslice.services.service import Service, free_port

ROOT = Path(__file__).parents[1]
DAYSLICE = str(Path(sys.executable).with_name("dayslice"))
PLAIN = '''"""Cosmos's own way: a DAG of airflow tasks, one each for the model, its tests and its view."""
from datetime import datetime

from cosmos import DbtDag, ExecutionConfig, LoadMode, ProfileConfig, ProjectConfig, RenderConfig

plain = DbtDag(
    dag_id="plain",
    schedule=None,
    start_date=datetime(1970, 1, 1),
    project_config=ProjectConfig({project!r}, manifest_path={project!r} + "/target/manifest.json"),
    profile_config=ProfileConfig("dayslice", "local", profiles_yml_filepath={project!r} + "/profiles.yml"),
    execution_config=ExecutionConfig(dbt_executable_path={dbt!r}),
    render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST, select=["table_0", "table_0_latest"]),
    operator_args={{"vars": {{"ds": "{{{{ ds }}}}"}}, "install_deps": False, "append_env": True}},
    default_args={{"retries": 0}},
)
'''


@dataclass
class Measured:
    """Of one project. Seconds of a run, of its tasks from queued to done, and how many they are, by DAG."""

    tables: int
    runs: dict[str, list[tuple[float, float, int]]] = field(default_factory=dict)
    idle: float = 0.0
    shown: float = 0.0


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, nargs="+", default=[10, 500, 2000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--idle", type=float, default=180.0, help="seconds; 0: not measured")
    options.add_argument("--no-plain", action="store_true", help="without Cosmos's own DAG")
    chosen = options.parse_args()
    measured: list[Measured] = []
    for tables in chosen.tables:
        measured.append(measure(tables, chosen.rounds, chosen.idle, not chosen.no_plain))
        show(measured)


def measure(tables: int, rounds: int, idle: float, plain: bool) -> Measured:
    """A project, deployed, on an Airflow of its own."""
    found = Measured(tables)
    with tempfile.TemporaryDirectory() as folder:
        root, port = Path(folder), free_port()
        deployment = deployed_project(root, tables)
        if plain:
            lay_dags(root, deployment.project)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW_", "DAYSLICE_", "PYTHONDONT"))}
        try:
            command = [DAYSLICE, "airflow", "up", "--port", str(port), "--json"]
            up = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=True)
            api = AirflowApi(f"http://127.0.0.1:{port}", "admin", json.loads(up.stdout)["password"])
            dags = ["table_0", *(["plain"] if plain else [])]
            for n in range(rounds + 1):
                for dag in dags:
                    found.runs.setdefault(dag, []).append(run(api, dag, n))
            found.runs = {dag: runs[1:] for dag, runs in found.runs.items()}
            if idle:
                found.idle = idle_share(root, idle)
            found.shown = until_shown(api, root, env)
        finally:
            subprocess.run([DAYSLICE, "airflow", "down"], cwd=root, env=env, check=False)
    return found


def idle_share(root: Path, seconds_long: float) -> float:
    """The dag-processor's share of a core, with the processes that it starts to read files."""
    service = Service("dag-processor", root / "warehouse" / "airflow" / "dag-processor", list, None)
    before, since = cpu_of(service), time.monotonic()
    time.sleep(seconds_long)
    return (cpu_of(service) - before) / (time.monotonic() - since)


def cpu_of(service: Service) -> float:
    """Seconds of a process, of those below it, and of those that were."""
    total = 0.0
    for each in service.family():
        with contextlib.suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def until_shown(api: AirflowApi, root: Path, env: dict[str, str]) -> float:
    """Seconds from the end of a deployment until its new table is a DAG."""
    (root / "models" / "many" / "added.sql").write_text("select 1 as id")
    subprocess.run([DAYSLICE, "airflow", "deploy"], cwd=root, env=env, capture_output=True, check=True)
    since = time.monotonic()
    until(lambda: is_known(api, "added"))
    return time.monotonic() - since


def is_known(api: AirflowApi, dag: str) -> bool:
    """Whether Airflow has the DAG."""
    return bool(api.get("dags", dag_id_pattern=dag, limit=1)["dags"])


def lay_dags(root: Path, project: Path) -> None:
    """Cosmos's plain DAG file, beside ours."""
    (root / "airflow" / "dags").mkdir(parents=True)
    dbt = str(Path(sys.executable).with_name("dbt"))
    (root / "airflow" / "dags" / "plain_dag.py").write_text(PLAIN.format(project=str(project), dbt=dbt))


def run(api: AirflowApi, dag: str, n: int) -> tuple[float, float, int]:
    """One DAG run: its seconds, the sum of its tasks' seconds from queued to done, and how many they are."""
    until(lambda: is_known(api, dag))
    api.patch(f"dags/{dag}", {"is_paused": False})
    day = f"{date(2018, 3, 1) + timedelta(days=n)}T12:00:00Z"
    run_id = api.post(f"dags/{dag}/dagRuns", {"logical_date": day})["dag_run_id"]
    until(lambda: api.get(f"dags/{dag}/dagRuns/{run_id}")["state"] in ("success", "failed"))
    done = api.get(f"dags/{dag}/dagRuns/{run_id}")
    if done["state"] != "success":
        raise RuntimeError(f"{dag} {run_id} ended as {done['state']}")
    tasks = api.get(f"dags/{dag}/dagRuns/{run_id}/taskInstances")["task_instances"]
    waited = sum(seconds(each["queued_when"], each["end_date"]) for each in tasks)
    return seconds(done["queued_at"], done["end_date"]), waited, len(tasks)


def seconds(first: str, last: str) -> float:
    """Between two instants as the API writes them."""
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def until(ready, at_most: float = 300.0) -> None:
    """Return when it is true."""
    deadline = time.monotonic() + at_most
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {at_most} s")
        time.sleep(0.5)


def show(measured: list[Measured]) -> None:
    """Medians, and ours as a share of the other."""
    columns = ("run, s", "tasks from queued to done, s", "dag-processor idle", "a new table shows after, s")
    shown = Table("tables", "DAG", "tasks", *columns)
    for each in measured:
        medians = {
            dag: [statistics.median(run[n] for run in runs) for n in range(2)] for dag, runs in each.runs.items()
        }
        for dag, runs in each.runs.items():
            own = (f"{each.idle:.1%}", f"{each.shown:.0f}") if dag == "table_0" else ()
            shown.add_row(
                str(each.tables), dag, str(runs[0][2]), *(f"{median:.1f}" for median in medians[dag][:2]), *own
            )
        if "plain" in medians:
            ratios = (medians["table_0"][n] / medians["plain"][n] for n in range(2))
            shown.add_row(str(each.tables), "ratio", "", *(f"{ratio:.2f}" for ratio in ratios))
    Console().print(shown)


if __name__ == "__main__":
    main()
