"""The wheel, in an environment of its own and outside of this repository: nothing is missing, nothing is too much."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import BytesParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[2]
DAGS = """
from pathlib import Path
import dayslice_airflow
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(Path(dayslice_airflow.__path__[0], "dag_files"))
assert not bag.import_errors, bag.import_errors
for dag in bag.dags.values():
    DagSerialization.to_dict(dag)  # only with a timetable that a plugin registers
print(*sorted(bag.dags))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    dist = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", dist]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(dist.glob("*.whl"))


def link_or_copy(old: str, new: str) -> None:
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)


class Installed:
    """An environment with nothing but the wheel and what it requires, and a folder to work in."""

    def __init__(self, folder: Path, wheel: Path):
        self.folder, self.wheel = folder, wheel
        self.uv = Path(sys.executable).with_name("uv")
        subprocess.run([self.uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)

    def install(self, extra=""):
        constraints = ["--constraint", ROOT / "requirements.txt", "--only-binary", ":all:"]
        python = ["--python", self.folder / "venv" / "bin" / "python"]
        command = [self.uv, "pip", "install", "--quiet", *python, *constraints, f"{self.wheel}{extra}"]
        subprocess.run(command, check=True)
        self.take_bytecode()

    def take_bytecode(self):
        """Packages of others are those that this environment has, compiled: dbt alone would take half a minute to be.

        Bytecode that is not of its source, by size and time, is passed over by Python.
        """
        ours = Path(sysconfig.get_path("purelib"))
        theirs = self.folder / "venv" / ours.relative_to(sys.prefix)
        for compiled in (each for top in theirs.iterdir() for each in (ours / top.name).rglob("__pycache__")):
            place = theirs / compiled.relative_to(ours)
            if place.parent.is_dir() and not place.exists():
                shutil.copytree(compiled, place, copy_function=link_or_copy)

    def run(self, *command, cwd=None):
        """A program of the environment; its output. Nothing of this environment or of a person's reaches it."""
        binaries = self.folder / "venv" / "bin"
        env = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(self.folder), "DO_NOT_TRACK": "1", "LANG": "C.UTF-8"}
        env |= {name: value for name, value in os.environ.items() if name.startswith("SSL_")}
        if cwd is not None:
            env |= {"AIRFLOW_HOME": str(self.folder / "airflow"), "DAYSLICE_HOME": str(cwd / "warehouse")}
        done = subprocess.run(
            [binaries / command[0], *command[1:]],
            cwd=cwd or self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel):
    # Not in pytest's own folder: the embedded PostgreSQL runs as another user where we are root, and each pytest that
    # starts on this machine closes that folder to others.
    with TemporaryDirectory(prefix="dayslice-wheel-") as folder:
        found = Installed(Path(folder), wheel)
        found.install()
        yield found


@pytest.fixture(scope="module")
def project(installed):
    installed.run("dayslice", "init", "our_warehouse")
    return installed.folder / "our_warehouse"


def test_the_wheel_holds_all_of_the_product_and_no_name_of_others(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"dayslice", "dayslice_importers", "dayslice_airflow", "dbt"}
    for name in names:
        if name.startswith("dbt/"):
            assert name.split("/")[1] in ("adapters", "include")
            assert name.split("/")[2].startswith("dayslice")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    places = {"adapters/dbt/": "dbt/", "importers/": "", "airflow/": "", "dayslice/": "dayslice/"}
    wanted = {to + file[len(place) :] for file in listed for place, to in places.items() if file.startswith(place)}
    assert wanted <= set(names)


def test_the_wheel_says_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as packed:
        about = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = BytesParser().parsebytes(packed.read(about))
        assert any(name.endswith("/LICENSE") for name in packed.namelist())
    extras = {
        each.rpartition("extra == ")[2].strip("'\"") for each in metadata.get_all("Requires-Dist") if "extra" in each
    }
    assert (
        extras
        == set(metadata.get_all("Provides-Extra"))
        == {"airflow", "alerts", "celery", "openlineage", "trino", "dev"}
    )


def test_the_base_is_without_airflow_and_trino(installed):
    listed = installed.run(
        "python", "-c", "from importlib.metadata import distributions as d; print(*[x.name for x in d()])"
    )
    names = listed.lower().split()
    assert "dayslice" in names
    assert not {"apache-airflow", "dbt-trino", "astronomer-cosmos", "pymetastore", "pytest"} & set(names)


def test_a_project_of_ones_own_is_checked_before_it_has_any_data(installed, project):
    assert "2 tables for target local: 1 imports, 1 models, 1 waits" in installed.run("dayslice", "check", cwd=project)
    assert "PASS=2" in installed.run("dbt", "test", "--select", "test_type:unit", cwd=project)


def test_a_project_of_ones_own_imports_and_computes(installed, project):
    installed.run("dayslice", "import", "--all", "--ds", "2024-01-05", cwd=project)
    installed.run("dayslice", "build", "--ds", "2024-01-05", cwd=project)
    stands = installed.run("dayslice", "status", "--json", cwd=project)
    assert stands.count('"ds": "2024-01-05"') == 2


def test_its_tables_are_airflow_s_dags(installed, project):
    installed.install("[airflow]")
    installed.run("dayslice", "airflow", "deploy", cwd=project)
    assert installed.run("python", "-c", DAGS, cwd=project).split()[-2:] == ["daily_sales", "shop.orders"]


def test_the_other_extras_bring_what_they_are_for(installed, project):
    installed.install("[trino,dev]")
    engines = "import dayslice.metastore.hive, dayslice.metastore.glue, dbt.adapters.dayslice_trino, trino"
    installed.run("python", "-c", engines, cwd=project)
    assert "2 tables for target trino" in installed.run("dayslice", "check", "--target", "trino", cwd=project)
    assert "pytest" in installed.run("pytest", "--version", cwd=project)
    assert "version" in installed.run("sqlfluff", "--version", cwd=project)
