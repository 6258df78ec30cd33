"""Where deployments lie, and the DAG files that those of Airflow are made from."""

import importlib.metadata
import importlib.util
from pathlib import Path

from dayslice.errors import UsageError

DAGS = "dags"


def folder_of(home: Path, target: str) -> Path:
    """Where the deployments of a target lie."""
    return home / "deployed" / target


def dag_files() -> Path:
    """The folder of our DAG files, in the installed package. Raises UsageError where Airflow is not installed."""
    package = importlib.util.find_spec("dayslice_airflow")
    if package is None or not airflow_is_installed():
        raise UsageError("Airflow is not installed here: pip install 'dayslice[airflow]'")
    return Path(str(package.origin)).parent / "dag_files"


def airflow_is_installed() -> bool:
    """Whether this environment has it."""
    return any(importlib.metadata.Distribution.discover(name="apache-airflow"))
