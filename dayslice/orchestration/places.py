"""Where deployments lie, and the DAG files that Airflow reads beside them."""

import importlib.metadata
import importlib.util
import secrets
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


def lay_dag_files(home: Path, target: str) -> Path:
    """Put Airflow's DAG files of a target in place, new: it reads a file again when it has changed, and else hardly
    ever. Their folder.
    """
    folder = folder_of(home, target) / DAGS
    folder.mkdir(parents=True, exist_ok=True)
    for source in dag_files().glob("*.py"):
        new = folder / f".{source.name}.{secrets.token_hex(4)}"
        new.write_bytes(source.read_bytes())
        new.replace(folder / source.name)
    return folder
