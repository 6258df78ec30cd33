"""Whether Airflow takes the DAG of every table, before anything is deployed: each is made, and validated as it does."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError, UsageError
from dayslice.orchestration.dag_index import IndexedTable
from dayslice.orchestration.dags_taken import Taken
from dayslice.orchestration.places import airflow_is_installed

VALIDATION = "dayslice_airflow.validation"


def check_dags(tables: Iterable[IndexedTable], time_zone: str, root: Path) -> None:
    """Raises UsageError that names each table whose DAG Airflow would refuse, and its file.

    `root`: the project, whose target/ folder knows what Airflow has taken already.
    """
    taken = Taken(root, time_zone)
    asked: dict[str, Any] = {"time_zone": time_zone, "tables": taken.unknown(asdict(each) for each in tables)}
    if not asked["tables"] or not airflow_is_installed():
        return
    refused = _here(asked) if "airflow.sdk" in sys.modules else _in_a_process_of_its_own(asked)
    taken.note(each for each in asked["tables"] if each["dag_id"] not in refused)
    if refused:
        paths = {each["dag_id"]: each["path"] for each in asked["tables"]}
        raise UsageError(
            "\n".join(f"{paths[dag]}: {dag}: Airflow refuses its DAG: {why}" for dag, why in refused.items())
        )


def _here(asked: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = importlib.import_module(VALIDATION).refused(asked)
    return found


def _in_a_process_of_its_own(asked: Mapping[str, Any]) -> dict[str, str]:
    """Airflow makes a home where it is first imported, with files and a database's settings: here for a moment only."""
    with tempfile.TemporaryDirectory(prefix="dayslice-airflow-") as home:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        own |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "DO_NOT_TRACK": "1"}
        done = subprocess.run(
            [sys.executable, "-m", VALIDATION],
            input=json.dumps(asked, default=str),
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        return found
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DaysliceError(f"Airflow could not be asked whether it takes the DAGs: {last}") from None
