"""The environment that an Airflow of ours runs in: settings, secrets, metadata database. None of it is in a file of
Airflow's own, so that secrets are in one place.
"""

import base64
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dayslice.orchestration.places import DAGS, folder_of
from dayslice.services.private_file import read_json, write_private

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
SQLITE = "sqlite"
SQLITE_WAIT_SECONDS = 120
# Less than a task's process waits for its answer.
API_SERVER_WAIT_SECONDS = 3
LOOPBACK = "127.0.0.1"
# What anybody may set otherwise, by the same name in the environment of `dayslice airflow up`.
DEFAULTS = {
    # Airflow's LocalExecutor, whose tasks find dbt imported.
    "AIRFLOW__CORE__EXECUTOR": "dayslice_airflow.executor.WarmLocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    # A file that has changed is read at once, and a deployment changes it: else a thousand DAGs keep a core busy.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    # One file has all DAGs: where its reading is cut off, all are gone until the next.
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
    "AIRFLOW__API__WORKERS": "1",
    # A task that died with its scheduler holds its slot of a pool until this look; on DuckDB it is one of few.
    # Task heartbeats do not help: a new scheduler asks only for those of its own tasks.
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
    # Cosmos would read the whole project once a DAG to tell its version; a deployment has an id.
    "AIRFLOW__COSMOS__ENABLE_DAG_VERSIONING": "False",
    # Nobody is told that this runs.
    "DO_NOT_TRACK": "1",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    # Where set, every start of dbt takes twice as long.
    "PYTHONDONTWRITEBYTECODE": None,
}


def environment_of(
    root: Path, home: Path, host: str, port: int, target: str, dayslice_home: Path, name: str
) -> dict[str, str | None]:
    """What is added to this process's own environment; None takes a variable away. Holds secrets: print it nowhere."""
    url = f"http://{host}:{port}"
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder_of(dayslice_home, target) / DAGS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "airflow" / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": _bundles(root),
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__INSTANCE_NAME": name,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "DAYSLICE_HOME": str(dayslice_home),
        "DAYSLICE_TARGET": target,
        "PATH": os.pathsep.join([str(program("airflow").parent), os.environ.get("PATH", os.defpath)]),
    }
    given = {name: value for name, value in DEFAULTS.items() if name not in os.environ or value is None}
    # Its processes wait for each other's writes: after SQLite's own five seconds a scheduler ends with an error.
    database = {} if database_given() else {DATABASE: f"sqlite:///{home / 'airflow.db'}?timeout={SQLITE_WAIT_SECONDS}"}
    return {**given, **_secrets(home), **database, **ours}


def _bundles(root: Path) -> str:
    """Where Airflow finds DAG files: those of the deployment, and a project's own, in airflow/dags. Its own plugins are
    in airflow/plugins.
    """
    bundles = [{"name": "dags-folder", "classpath": "dayslice_airflow.bundle.DeploymentBundle", "kwargs": {}}]
    own = root / "airflow" / "dags"
    if own.is_dir():
        local = "airflow.dag_processing.bundles.local.LocalDagBundle"
        bundles.append({"name": "project", "classpath": local, "kwargs": {"path": str(own)}})
    return json.dumps(bundles)


def of_api_server(environment: Mapping[str, str | None]) -> dict[str, str | None]:
    """The environment of the API server, which does not wait long for a lock of SQLite's.

    It writes its log of events on the thread that all its requests need to end, among them the one that has the lock:
    for as long as it waits there, nothing of Airflow goes on. Who asks it, asks again.
    """
    given = environment.get(DATABASE)
    if not given or not given.startswith("sqlite:"):
        return dict(environment)
    wait = f"timeout={SQLITE_WAIT_SECONDS}"
    return {**environment, DATABASE: given.replace(wait, f"timeout={API_SERVER_WAIT_SECONDS}")}


def database_given() -> bool:
    """Whether the environment names a metadata database, in one of the ways in which Airflow takes it."""
    return any(f"{DATABASE}{how}" in os.environ for how in ("", "_CMD", "_SECRET"))


def database_name() -> str:
    """The metadata database that the environment names, without user and password; `sqlite` for our own file."""
    if not database_given():
        return SQLITE
    if DATABASE not in os.environ:
        return f"what {DATABASE}_CMD or _SECRET gives"
    parts = urlsplit(os.environ[DATABASE])
    return f"{parts.scheme.partition('+')[0]}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def program(name: str) -> Path:
    """A program of the environment that runs us."""
    return Path(sys.executable).parent / name


def _secrets(home: Path) -> Mapping[str, str]:
    """Airflow's own keys, made at the first call. What the environment gives is used instead."""
    file = home / "secrets.json"
    if not file.exists():
        keys = {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        }
        write_private(file, json.dumps(keys))
    known = read_json(file)
    return {name: value for name, value in known.items() if name not in os.environ}
