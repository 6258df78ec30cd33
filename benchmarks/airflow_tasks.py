"""What Airflow adds to one trivial table in a project of 500: a DAG run of ours beside Cosmos's plain DbtDag.

    python -m benchmarks.airflow_tasks [--tables 500] [--rounds 3]

Both DAGs compute the same table of the same project, by the same LocalExecutor, in turn; of each the first run is not
counted (Cosmos keeps a parse from it). Seconds are Airflow's own: from a run's being queued to its end, and the sum of
its tasks from queued to done. `select 0` itself takes a few milliseconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.airflow_project import deployed_project
from dayslice.orchestration.api import AirflowApi
from dayslice.services.service import free_port

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


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, default=500)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, port = Path(folder), free_port()
        deployment = deployed_project(root, chosen.tables)
        lay_dags(root, deployment.project)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW_", "DAYSLICE_", "PYTHONDONT"))}
        try:
            command = [DAYSLICE, "airflow", "up", "--port", str(port), "--json"]
            up = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=True)
            api = AirflowApi(f"http://127.0.0.1:{port}", "admin", json.loads(up.stdout)["password"])
            found: dict[str, list[tuple[float, float, int]]] = {"table_0": [], "plain": []}
            for n in range(chosen.rounds + 1):
                for dag, runs in found.items():
                    runs.append(run(api, dag, n))
        finally:
            subprocess.run([DAYSLICE, "airflow", "down"], cwd=root, env=env, check=False)
    show(chosen.tables, {dag: runs[1:] for dag, runs in found.items()})


def lay_dags(root: Path, project: Path) -> None:
    """Cosmos's plain DAG file, beside ours."""
    (root / "airflow" / "dags").mkdir(parents=True)
    dbt = str(Path(sys.executable).with_name("dbt"))
    (root / "airflow" / "dags" / "plain_dag.py").write_text(PLAIN.format(project=str(project), dbt=dbt))


def run(api: AirflowApi, dag: str, n: int) -> tuple[float, float, int]:
    """One DAG run: its seconds, the sum of its tasks' seconds from queued to done, and how many they are."""
    until(lambda: dag in {each["dag_id"] for each in api.get("dags", limit=1000)["dags"]})
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


def show(tables: int, found: dict[str, list[tuple[float, float, int]]]) -> None:
    """Medians, and ours as a share of the other."""
    table = Table(f"one table of {tables}", "tasks", "run, s", "tasks from queued to done, s")
    medians = {dag: [statistics.median(each[n] for each in runs) for n in range(2)] for dag, runs in found.items()}
    for dag, runs in found.items():
        table.add_row(dag, str(runs[0][2]), *(f"{each:.1f}" for each in medians[dag]))
    table.add_row("ratio", "", *(f"{a / b:.2f}" for a, b in zip(medians["table_0"], medians["plain"], strict=True)))
    Console().print(table)


if __name__ == "__main__":
    main()
