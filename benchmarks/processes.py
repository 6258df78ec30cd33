"""Builds of many days by one process and by two: the same slices, in how much less time.

python -m benchmarks.processes [--days 16]
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dayslice.rules.calendar import span
from dayslice.runner.dbt_runs import Dbt

ROOT = Path(__file__).parents[1]
FILES = {
    "models/daily.sql": "select range as id, md5(range::varchar || '{{ ds() }}') as text, range % 7 as kind "
    "from range(1500000)",
    "models/daily.yml": "models: [{name: daily, config: {meta: {slice: events}}, "
    "columns: [{name: id, data_tests: [unique]}]}]",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=16)
    days = span("2013-01-01", "2013-12-31")[: options.parse_args().days]
    # One thread of DuckDB a process: what is measured is whether processes wait for each other.
    os.environ["DAYSLICE_HOME"] = "warehouse"
    shown = Table("processes", "wall s", "speed-up", box=None)
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder))
        base = 0.0
        for processes in (1, 2):
            shutil.rmtree(root / "warehouse", ignore_errors=True)
            seconds = wall(root, [days[n::processes] for n in range(processes)])
            base = base or seconds
            shown.add_row(str(processes), f"{seconds:.1f}", f"{base / seconds:.2f}")
    Console().print(shown)


def project(root: Path) -> Path:
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, root / name)
    profiles = root / "profiles.yml"
    profiles.write_text(profiles.read_text().replace("threads: 4", "threads: 1\n      settings: {threads: 1}", 1))
    return root


def wall(root: Path, parts: list[list[str]]) -> float:
    """Fork when dbt is imported and the project parsed."""
    dbt = Dbt(root)
    dbt.parse()
    workers = [multiprocessing.get_context("fork").Process(target=build, args=(dbt, days)) for days in parts]
    start = time.perf_counter()
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert [each.exitcode for each in workers] == [0] * len(workers)
    return time.perf_counter() - start


def build(dbt: Dbt, days: list[str]) -> None:
    for ds in days:
        results = dbt.run(["build"], ds)
        assert not [each for each in results if each.failed], results


if __name__ == "__main__":
    main()
