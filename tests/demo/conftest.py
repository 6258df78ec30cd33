"""One demo of 14 days serves all tests: it is killed on the way, run again to its end, and then only looked at."""

import atexit
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import pytest

from dayslice.metastore import readers_file
from tests.local_files import all_versions
from tests.warm.programs import program

ROOT = Path(__file__).parents[2]
DAYS = 14


@dataclass
class Demo:
    """A home with the demo's slices, and the command line on it."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith(("DAYSLICE_", "DBT_"))}
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**own, "DAYSLICE_HOME": str(self.home), "DO_NOT_TRACK": "1"}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [program("dayslice"), *words]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def run_and_kill(self, after: str, *words: str) -> None:
        """Kill it somewhere in the second after it has said something."""
        command = [str(Path(sys.executable).with_name("dayslice")), *words]
        with subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=subprocess.PIPE, text=True) as process:
            said = ""
            for line in process.stderr:
                said += line
                if re.search(after, line):
                    break
            else:
                pytest.fail(f"it ended before it was killed: {said}")
            time.sleep(random.uniform(0.1, 1.2))
            process.send_signal(signal.SIGKILL)

    def query(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        # After a kill, the file that readers open follows with the next publication.
        readers_file.make(
            self.home / "dayslice.duckdb", self.home / "metastore.sqlite", str(self.home / "landing"), wait_seconds=9
        )
        return duckdb.connect(str(self.home / "dayslice.duckdb"), read_only=True).execute(sql, list(values))

    def versions(self) -> dict[tuple[str, str], str]:
        """The published version of each slice."""
        return {(table, ds): version for table, ds, version, published in all_versions(self.home) if published}


@pytest.fixture(scope="session")
def make_folder() -> Callable[[], Path]:
    """Fresh folders outside of pytest's own: started by root, PostgreSQL runs as another user, and pytest closes its
    folders to others whenever a second one starts on the machine. They go when the servers in them have gone."""

    def make() -> Path:
        folder = Path(mkdtemp(prefix="dayslice-test-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    return make


@pytest.fixture
def folder(make_folder) -> Path:
    return make_folder()


@pytest.fixture(scope="session")
def killed(make_folder) -> tuple[Demo, dict[tuple[str, str], str]]:
    """A demo that was killed in its fourth day, with what was published by then."""
    demo = Demo(make_folder() / "home")
    demo.run_and_kill("2013-01-03: ", "demo", "--days", str(DAYS))
    return demo, demo.versions()


@pytest.fixture(scope="session")
def demo(killed) -> Demo:
    """The same, run again to its end."""
    demo, _ = killed
    done = demo.run("demo", "--days", str(DAYS))
    assert done.returncode == 0, done.stderr + done.stdout
    demo.said = done.stdout
    return demo


@pytest.fixture(scope="session")
def second(demo) -> dict[str, Any]:
    """What a second run says."""
    done = demo.run("demo", "--days", str(DAYS), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)
