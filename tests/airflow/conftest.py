"""Airflow for these tests: a home of its own, set before anything imports Airflow, and small deployed projects."""

import atexit
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

from dayslice.orchestration.deployment import deploy
from dayslice.orchestration.places import dag_files
from dayslice.services.service import free_port
from tests.airflow.running_airflow import REPOSITORY, SHARED, RunningAirflow
from tests.airflow.shapes import ERP, FILES
from tests.airflow.slow_table import SlowTable
from tests.sql.warehouse_project import WarehouseProject

ROOT = Path(__file__).parents[2]
SLOW = ("wiped_at_work", "killed_at_work")
HOME = Path(mkdtemp(prefix="dayslice-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

# Airflow reads these when it is first imported, and none of a person's own must reach the tests.
for name in [each for each in os.environ if each.startswith("AIRFLOW_")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(dag_files()),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    "DO_NOT_TRACK": "1",
}


class DeployedProject(WarehouseProject):
    """A small project on the local engine, and what is deployed of it."""

    def deploy(self):
        return deploy(self.root)


@pytest.fixture(scope="module")
def make_project(tmp_path_factory):
    return lambda files: DeployedProject(tmp_path_factory.mktemp("project"), files)


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """A deployed project with each shape of table, for all who do not change its files."""
    project = DeployedProject(tmp_path_factory.mktemp("shapes"), FILES)
    project.deploy()
    return project


@pytest.fixture(scope="session")
def airflow_database():
    """Airflow's own tables, in SQLite."""
    airflow = Path(sys.executable).with_name("airflow")
    done = subprocess.run([airflow, "db", "migrate"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return HOME


@pytest.fixture(autouse=True)
def as_a_process_of_its_own():
    """What a task leaves in the environment ends with its process; here it ends with its test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def serve(monkeypatch):
    """Lets Airflow serve the home of a project."""
    return lambda project: monkeypatch.setenv("DAYSLICE_HOME", str(project.home))


@pytest.fixture(scope="session")
def make_home():
    """Folders outside of pytest's own, which close to PostgreSQL's user when a second pytest starts."""

    def make() -> Path:
        folder = Path(mkdtemp(prefix="dayslice-test-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    return make


@pytest.fixture(scope="session")
def airflow_instance(make_home):
    """The demo's project on a real Airflow of its own, by two `dayslice airflow up` at once. Its warehouse is empty.

    Only the tests of three days need the demo's models; without them another import stands in.
    """
    folder = make_home()
    airflow = RunningAirflow(folder / "project", folder / "home", free_port())
    airflow.root.mkdir()
    for name in (each for each in SHARED if (REPOSITORY / each).exists()):
        (airflow.root / name).symlink_to(REPOSITORY / name)
    if (REPOSITORY / "models").exists():
        shutil.copytree(REPOSITORY / "models", airflow.root / "models")
    else:
        (airflow.root / "models").mkdir()
        (airflow.root / "models" / "erp.yml").write_text(ERP)
    (airflow.root / "models" / "one_row.sql").write_text("select 1 as n")
    for name in SLOW:
        SlowTable(airflow.root, name).write()
    try:
        up = ("airflow", "up", "--port", str(airflow.port))
        starts = [airflow.popen(*up) for _ in range(2)]
        said = [start.communicate() for start in starts]
        assert [start.returncode for start in starts] == [0, 0], said
        airflow.said = "\n".join(out for out, _ in said)
        yield airflow
    finally:
        airflow.run("airflow", "down")
