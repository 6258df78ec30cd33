"""A real Airflow of a copy of this repository's project: all four processes, driven by the command line and its API."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dayslice.orchestration.api import AirflowApi
from dayslice.services.service import Service
from tests.warm.programs import program

REPOSITORY = Path(__file__).parents[2]
# What a copy shares with the repository. Its models are its own, to be changed.
SHARED = ("dbt_project.yml", "profiles.yml", "seeds", "airflow")
PROCESSES = ("api-server", "dag-processor", "triggerer", "scheduler")


@dataclass
class RunningAirflow:
    """`root` is the project, `home` its DAYSLICE_HOME, `port` the API server's, `said` what its start printed."""

    root: Path
    home: Path
    port: int
    said: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Of commands: nothing of a person's own, nor of the tests' own Airflow."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "DAYSLICE_"))}
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        told = {
            "DAYSLICE_ON_LATE": "tests.airflow.told.late",
            "DAYSLICE_ON_FAILURE": "tests.airflow.told.failed",
            "DAYSLICE_TEST_TOLD": str(self.root / "told"),
        }
        return {**own, **told, "DAYSLICE_HOME": str(self.home), "DAYSLICE_LOOK_EVERY": "2", "COLUMNS": "200"}

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    def popen(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """`dayslice <words>` in the project."""
        return subprocess.Popen(
            [program("dayslice"), *words],
            cwd=self.root,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, answer: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        """The same, to its end."""
        with self.popen(*words, **environment) as process:
            out, err = process.communicate(answer)
        assert "Traceback" not in out + err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def api(self) -> AirflowApi:
        """Its REST API, logged in as admin."""
        password = json.loads((self.airflow_home / "passwords.json").read_text())["admin"]
        return AirflowApi(f"http://127.0.0.1:{self.port}", "admin", password)

    def service(self, name: str) -> Service:
        return Service(name, self.airflow_home / name, lambda: [], None)

    def processes(self) -> set[psutil.Process]:
        """All that it runs: the four processes and their children."""
        return {each for name in PROCESSES for each in self.service(name).family()}

    def trigger(self, dag_id: str, logical_date: str, **more: Any) -> str:
        """Unpause the DAG and begin a run; its id."""
        api = self.api()
        until(lambda: dag_id in {dag["dag_id"] for dag in api.get("dags", limit=1000)["dags"]}, 120)
        api.patch(f"dags/{dag_id}", {"is_paused": False})
        return str(api.post(f"dags/{dag_id}/dagRuns", {"logical_date": logical_date, **more})["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self.api().get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])


def until(
    ready: Callable[[], bool], seconds: float, pause: float = 0.3, instead: Callable[[], object] = lambda: ""
) -> None:
    """Return when it is true, asked every `pause` seconds; fail when it takes too long, and say what is `instead`."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not so after {seconds} s {instead()}"
        time.sleep(pause)
