"""The runner beside plain dbt: what one (table, ds) costs, and whether that grows with the length of a backfill.

    python -m benchmarks.runner [--days 56]

The same models are computed from the same imports: by `dbt build --vars 'ds: …'`, a process and a parse a ds, as one
would without the runner; by `dbt build` with DAYSLICE_DS, a process a ds; and by one `dayslice backfill --force`.
"""

import argparse
import os
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measured, measure

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
MODELS = 5
FIRST = date(2013, 1, 1)


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=56, help="the longer backfill, in days (default 56)")
    days = options.parse_args().days
    with tempfile.TemporaryDirectory() as home:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"DAYSLICE_HOME": home}
        demo = measure([str(BIN / "dayslice"), "demo", "--days", str(days)], ROOT, env)
        rows = {
            f"dayslice demo, {days} days (imports too)": (demo, days),
            "dbt build --vars, a process a ds": (dbt_a_ds(env, 3, by_vars=True), 3),
            "dbt build, ds from the environment": (dbt_a_ds(env, 3, by_vars=False), 3),
            "dayslice backfill, 14 days": (backfill(env, days, 14), 14),
            f"dayslice backfill, {days} days": (backfill(env, days, days), days),
        }
    show(rows)


def backfill(env: dict[str, str], days: int, count: int) -> Measured:
    """All models of the last so many days, computed again in one process; later ones would be left stale."""
    last = FIRST + timedelta(days=days - 1)
    span = ["--from", (last - timedelta(days=count - 1)).isoformat(), "--to", last.isoformat()]
    return measure([str(BIN / "dayslice"), "backfill", *span, "--force", "--json"], ROOT, env)


def dbt_a_ds(env: dict[str, str], days: int, by_vars: bool) -> Measured:
    """The same models by plain dbt, one process for each of so many days; unit tests left out, as the runner does."""
    runs = []
    for n in range(days):
        ds = (FIRST + timedelta(days=n)).isoformat()
        command = [str(BIN / "dbt"), "build", "--exclude-resource-type", "unit_test"]
        ds_by = ["--vars", f"ds: {ds}"] if by_vars else []
        runs.append(measure([*command, *ds_by], ROOT, env if by_vars else env | {"DAYSLICE_DS": ds}))
    return Measured(sum(r.wall for r in runs), sum(r.cpu for r in runs), max(r.peak_mib for r in runs))


def show(rows: dict[str, tuple[Measured, int]]) -> None:
    """Seconds a (table, ds), as a ratio to plain dbt in the same run."""
    base = rows["dbt build --vars, a process a ds"]
    base_each = base[0].wall / base[1] / MODELS
    table = Table("", "days", "wall s", "s a (table, ds)", "ratio", "CPU s", "peak MiB", box=None)
    for name, (measured, days) in rows.items():
        each = measured.wall / days / MODELS
        cells = [f"{measured.wall:.1f}", f"{each:.3f}", f"{each / base_each:.2f}"]
        table.add_row(name, str(days), *cells, f"{measured.cpu:.1f}", f"{measured.peak_mib:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
