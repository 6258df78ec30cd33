"""What Airflow pays to read the DAG file: with 10, 100 and 1,000 tables, whole and in a task's process.

    python -m benchmarks.airflow_parse [--tables 10 100 1000] [--plain 10 50]

Each project is made, deployed, and its DAG file executed in a fresh process, the best of three; modules are imported
before the clock starts, since they cost the same for one table and a thousand. Beside it, for `--plain` tables: Cosmos
as its own documentation has it, one `DbtDag` a table from the same manifest.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.airflow_project import deployed_project
from dayslice.orchestration.places import dag_files

ROOT = Path(__file__).parents[1]
ROUNDS = 3

OURS = """
import runpy, time
import dayslice_airflow.dags
begun = time.perf_counter()
found = runpy.run_path({dag_file!r})
print(len([each for each in found.values() if type(each).__name__ == "DAG"]), time.perf_counter() - begun)
"""
PLAIN = """
import time
from datetime import datetime
from cosmos import DbtDag, ExecutionConfig, LoadMode, ProfileConfig, ProjectConfig, RenderConfig
begun = time.perf_counter()
made = [
    DbtDag(
        dag_id=f"plain_{{n}}",
        schedule="30 0 * * *",
        start_date=datetime(2018, 1, 1),
        catchup=False,
        project_config=ProjectConfig({project!r}, manifest_path={project!r} + "/target/manifest.json"),
        profile_config=ProfileConfig("dayslice", "local", profiles_yml_filepath={project!r} + "/profiles.yml"),
        execution_config=ExecutionConfig(dbt_executable_path={dbt!r}),
        render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST, select=[f"table_{{n}}", f"table_{{n}}_latest"]),
    )
    for n in range({tables})
]
print(len(made), time.perf_counter() - begun)
"""


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, nargs="+", default=[10, 100, 1000])
    options.add_argument("--plain", type=int, nargs="*", default=[10, 50], help="sizes for Cosmos's DbtDag a table")
    chosen = options.parse_args()
    table = Table(
        "tables", "the whole file, s", "a table, ms", "in a task's process, s", "DbtDag a table, s", "deploy, s"
    )
    for size in sorted({*chosen.tables, *chosen.plain}):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            project = deployed_project(Path(folder), size)
            deployed = time.perf_counter() - begun
            env = environment(project.home)
            whole = best(OURS.format(dag_file=str(dag_files() / "dayslice_dags.py")), env, size)
            one = best(
                OURS.format(dag_file=str(dag_files() / "dayslice_dags.py")),
                env | {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": "table_0"},
                1,
            )
            plain = PLAIN.format(
                project=str(project.project), tables=size, dbt=str(Path(sys.executable).parent / "dbt")
            )
            theirs = f"{best(plain, env, size, rounds=1):.2f}" if size in chosen.plain else "-"
            table.add_row(
                str(size), f"{whole:.3f}", f"{1000 * whole / size:.2f}", f"{one:.3f}", theirs, f"{deployed:.1f}"
            )
    Console().print(table)


def environment(home: Path) -> dict[str, str]:
    """Of the measured processes."""
    own = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return own | {
        "DAYSLICE_HOME": str(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__COSMOS__ENABLE_DAG_VERSIONING": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "DO_NOT_TRACK": "1",
    }


def best(code: str, env: dict[str, str], dags: int, rounds: int = ROUNDS) -> float:
    """The shortest of several runs, in seconds. Each has to have made all its DAGs."""
    found = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        made, seconds = done.stdout.strip().splitlines()[-1].split()
        if int(made) != dags:
            raise RuntimeError(f"{made} DAGs instead of {dags}:\n{done.stderr[-2000:]}")
        found.append(float(seconds))
    return min(found)


if __name__ == "__main__":
    main()
