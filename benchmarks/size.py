"""What looks, plans and deployments cost as a project grows: seconds, memory and calls to the metastore of each.

    python -m benchmarks.size [--sizes 250x250 500x500 1000x1000] [--only status plan …] [--json FILE]
    DAYSLICE_TARGET=trino python -m benchmarks.size --hive thrift://127.0.0.1:9713 --sizes 1000x14 10x1000

A project of so many tables, with descriptions, an audit and a latest view each, is made; so many ds of each are
published in its metastore directly, all of one file. Each command is then run in a process of its own. "growth" is CPU
seconds a slice, to the size before: more than 1 grows faster than the slices do.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

import duckdb
from rich.console import Console

from benchmarks.airflow_parse import environment
from benchmarks.airflow_project import make_project
from benchmarks.measure import Measured, measure
from benchmarks.overview import LAST, OneFile, versions_of
from benchmarks.overview_on_hive import filled_hive
from dayslice.engines.embedded import copy_to_parquet
from dayslice.metastore.choice import open_metastore
from dayslice.orchestration.places import dag_files
from dayslice.rules.calendar import shift
from dayslice.runner.project import Project, load_project

CONSOLE = Console(width=130)
# Derby takes no more at once.
_AT_ONCE = 50
# These ask a metastore; the others are of the project alone.
ON_HIVE = ("status", "problems", "plan", "plan --force", "calendar", "retain", "waits")


def main() -> None:
    """Measure, a line each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", nargs="+", default=["250x250", "500x500", "1000x1000"], metavar="TABLESxDS")
    options.add_argument("--only", nargs="+", metavar="WHAT", help="of the lines of the output")
    options.add_argument("--hive", metavar="URI", help="a Hive metastore to be filled; the target is trino")
    given = options.parse_args()
    CONSOLE.print(f"{'':<28}{'tables x ds':>12}{'CPU s':>9}{'wall s':>9}{'peak MiB':>10}{'calls':>9}{'growth':>8}")
    before: dict[str, float] = {}
    for size in given.sizes:
        tables, days = map(int, size.split("x"))
        with tempfile.TemporaryDirectory(prefix="size-") as folder, filled(Path(folder), tables, days, given.hive):
            for what, found, calls in measured(Path(folder), days, given.hive, given.only):
                each = found.cpu / (tables * days)
                growth = f"{each / before[what]:.2f}" if what in before else ""
                before[what] = each
                cells = f"{found.cpu:>9.1f}{found.wall:>9.1f}{found.peak_mib:>10.0f}{calls:>9}{growth:>8}"
                CONSOLE.print(f"{what:<28}{size:>12}{cells}")


def measured(
    root: Path, days: int, hive: str | None, only: Sequence[str] | None
) -> Iterator[tuple[str, Measured, str]]:
    """Each command, with what it took and how often it called the metastore."""
    first, calls = shift(LAST, 1 - days), root / "calls"
    span = ["--from", first, "--to", LAST]
    commands = {
        "status": ["status"],
        "problems": ["status", "--only", "problems"],
        "plan": ["plan", *span],
        "plan --force": ["plan", *span, "--force"],
        "calendar": ["status", "--html", str(root / "calendar.html"), *span],
        "retain": ["retain", "--dry-run"],
        "waits": ["waits", shift(LAST, 1)],
        "readers' file": ["readers"],
        "check": ["check"],
        "deploy": ["airflow", "deploy"],
        "DAG file": ["dags", str(dag_files() / "dayslice_dags.py")],
    }
    for what, command in commands.items():
        if (only and what not in only) or (hive and what not in ON_HIVE):
            continue
        counted = [sys.executable, "-m", "benchmarks.counted", str(calls), *command, *(["--thrift"] if hive else [])]
        env = _environment(root, hive) | (environment(root / "warehouse") if what == "DAG file" else {})
        found = measure(counted, root, env, good=(0, 1, 3))
        made, peak = calls.read_text().split()
        yield what, replace(found, peak_mib=int(peak) / 1024), made
        if what == "calendar":
            CONSOLE.print(f"its size: {(root / 'calendar.html').stat().st_size / 1e6:.1f} MB")


@contextlib.contextmanager
def filled(root: Path, tables: int, days: int, hive: str | None) -> Iterator[None]:
    """The project, parsed, and its slices published."""
    begun = time.perf_counter()
    make_project(root, tables)
    with mock.patch.dict(os.environ, _environment(root, hive), clear=True), contextlib.chdir(root):
        project = load_project(root)
        parsed = time.perf_counter() - begun
        versions = versions_of(project, [shift(LAST, -n) for n in reversed(range(days))], one_file(project, root))
        if hive:
            with filled_hive(hive, versions, _AT_ONCE):
                yield
            return
        with open_metastore(project.target) as metastore:
            for some in versions:
                metastore.publish_first(some)
    took = time.perf_counter() - begun - parsed
    CONSOLE.print(f"{tables} tables: parsed in {parsed:.0f} s; {tables * days:,} slices published in {took:.0f} s")
    yield


def one_file(project: Project, root: Path) -> OneFile:
    """The one that all slices consist of."""
    place = root / "rows"
    place.mkdir()
    with duckdb.connect() as connection:
        copy_to_parquet(connection, f"select 1 as id, '{LAST}' as ds", str(place / "part-00.parquet"))
    return OneFile(str(place), (place / "part-00.parquet").stat().st_size, json.dumps([["id", "INTEGER"]]))


def _environment(root: Path, hive: str | None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("DAYSLICE_")}
    own = {"DAYSLICE_HOME": str(root / "warehouse"), "PYTHONPATH": str(Path(__file__).parents[1])}
    return kept | own | ({"DAYSLICE_TARGET": "trino", "DAYSLICE_METASTORE_URI": hive} if hive else {})


if __name__ == "__main__":
    main()
