"""Trivial SELECTs over many ds: what the runner itself costs a slice, and what several processes bring.

    python -m benchmarks.backfill [--tables 50] [--days 10] [--jobs 2]

A project of so many tables, a tenth of which read another one, is computed by one `dayslice backfill` in one process,
in several, again with nothing to do, and by `dbt build --vars 'ds: …'` in a loop, a process a ds, as one would without
it. CPU seconds are of the command and its children, so that they say something on a busy machine too.
"""

import argparse
import os
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measured, measure

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FIRST = date(2013, 1, 1)
ONE_IN = 10


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, default=50, help="how many tables (default 50)")
    options.add_argument("--days", type=int, default=10, help="how many ds (default 10)")
    options.add_argument("--jobs", type=int, default=2, help="how many processes beside one (default 2)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_project(root, given.tables)
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"DAYSLICE_HOME": str(root / "warehouse")}
        measure([str(BIN / "dayslice"), "plan", *span(1)], root, env, good=(3,))  # parse once
        rows = {
            "dayslice backfill --jobs 1": (backfill(root, env, given.days, 1), given.days),
            f"dayslice backfill --jobs {given.jobs}": (backfill(root, env, given.days, given.jobs), given.days),
            "the same, nothing to do": (measure(command(given.days, 1), root, env), given.days),
            "dbt build --vars, a process a ds": (dbt_loop(root, env, 2), 2),
        }
    show(rows, given.tables)


def write_project(root: Path, tables: int) -> None:
    """So many tables of one row a ds."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, root / name)
    (root / "models").mkdir()
    for number in range(tables):
        read = f" from {{{{ ref('t{number - 1:04}') }}}}" if number % ONE_IN == ONE_IN - 1 else ""
        (root / "models" / f"t{number:04}.sql").write_text(f"select {number} as id, '{{{{ ds() }}}}' as day{read}\n")


def span(days: int) -> list[str]:
    """The options of a range of so many days."""
    return ["--from", FIRST.isoformat(), "--to", (FIRST + timedelta(days=days - 1)).isoformat()]


def command(days: int, jobs: int) -> list[str]:
    """A backfill of so many days."""
    return [str(BIN / "dayslice"), "backfill", *span(days), "--jobs", str(jobs), "--json"]


def backfill(root: Path, env: dict[str, str], days: int, jobs: int) -> Measured:
    """From nothing."""
    shutil.rmtree(root / "warehouse", ignore_errors=True)
    return measure(command(days, jobs), root, env)


def dbt_loop(root: Path, env: dict[str, str], days: int) -> Measured:
    """One process of dbt for each ds."""
    shutil.rmtree(root / "warehouse", ignore_errors=True)
    runs = []
    for number in range(days):
        ds = (FIRST + timedelta(days=number)).isoformat()
        runs.append(measure([str(BIN / "dbt"), "build", "--vars", f"ds: {ds}"], root, env))
    return Measured(sum(r.wall for r in runs), sum(r.cpu for r in runs), max(r.peak_mib for r in runs))


def show(rows: dict[str, tuple[Measured, int]], tables: int) -> None:
    """Seconds of wall and of CPU a slice."""
    table = Table("", "slices", "wall s", "s a slice", "CPU s a slice", "peak MiB", box=None)
    for name, (measured, days) in rows.items():
        count = tables * days
        each = [f"{measured.wall:.1f}", f"{measured.wall / count:.3f}", f"{measured.cpu / count:.3f}"]
        table.add_row(name, str(count), *each, f"{measured.peak_mib:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
