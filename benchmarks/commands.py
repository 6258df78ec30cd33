"""CPU and wall time of commands that only look, when the project has changed and when it has not.

`python -m benchmarks.commands --tables 10 1000` makes a project of so many tables with 14 slices each. "changed" is the
first command after a change (dbt parses the project), "unchanged" each one after that.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.measure import Measured, measure
from dayslice.engines.embedded import copy_to_parquet
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import span
from dayslice.rules.slices import Receipt, Slice, Version, new_version_id
from dayslice.runner.project import load_project
from dayslice.services import embedded_postgres

ROOT = Path(__file__).parents[1]
DAYSLICE = str(Path(sys.executable).parent / "dayslice")
PART = "part-00.parquet"
FIRST, LAST = "2013-01-01", "2013-01-14"
SOURCES = """sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}, {name: ten, config: {meta: {slice: cumulative}}}]
"""


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--tables", type=int, nargs="+", default=[10, 1000], help="sizes of projects (default 10 1000)"
    )
    grid = Grid("tables", "command", "changed: CPU s", "unchanged: CPU s", "wall s", "peak MiB", box=None)
    for tables in options.parse_args().tables:
        with tempfile.TemporaryDirectory() as folder:
            for command, (before, after) in measured(Path(folder), tables).items():
                cells = [f"{before.cpu:.2f}" if before else "", f"{after.cpu:.2f}", f"{after.wall:.2f}"]
                grid.add_row(str(tables), command, *cells, f"{after.peak_mib:.0f}")
    Console(width=120).print(grid)


def measured(root: Path, tables: int) -> dict[str, tuple[Measured | None, Measured]]:
    """Each command, before and after the index is there."""
    make_project(root, tables)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("DAYSLICE_")}
    publish(root)
    env["DAYSLICE_CONNECTION_ERP"] = source(root)
    looks = {
        "status": ["status"],
        "versions": ["versions", "t0", "--ds", LAST],
        "backfill --dry-run": ["backfill", "--from", FIRST, "--to", LAST, "--select", "t0+", "--dry-run"],
        "retain --dry-run": ["retain", "--dry-run", "--select", "t0"],
        "import of ten rows": ["import", "erp.ten", "--ds", LAST, "--as-of-now"],
    }
    found: dict[str, tuple[Measured | None, Measured]] = {}
    for name, arguments in looks.items():
        before = changed(root, arguments, env) if name in ("status", "import of ten rows") else None
        found[name] = (before, min((measure([DAYSLICE, *arguments], root, env) for _ in range(3)), key=lambda m: m.cpu))
    return found


def changed(root: Path, arguments: Sequence[str], env: dict[str, str]) -> Measured:
    """A command right after a file was changed."""
    with (root / "models" / "t0.sql").open("a") as file:
        file.write("\n")
    return measure([DAYSLICE, *arguments], root, env)


def make_project(root: Path, tables: int) -> None:
    """A project of models in rows of ten, each reading the one before it; the first of a row reads the import."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, root / name)
    models = root / "models"
    models.mkdir()
    (models / "erp.yml").write_text(SOURCES)
    for n in range(tables - 2):
        upstream = "source('erp', 'orders')" if n % 10 == 0 else f"ref('t{n - 1}')"
        (models / f"t{n}.sql").write_text(f"select s.id from {{{{ {upstream} }}}} as s\n")
        (models / f"t{n}.yml").write_text(
            f"models:\n  - name: t{n}\n    description: One row per order.\n    config: {{meta: {{slice: events}}}}\n"
        )


def publish(root: Path) -> None:
    """Record 14 slices of every model: what commands look at is the metastore. Their rows are one file's."""
    project = load_project(root)
    rows = Path(project.target.warehouse) / "rows"
    rows.mkdir(parents=True)
    with duckdb.connect() as connection:
        copy_to_parquet(connection, f"select 1 as id, '{FIRST}' as ds", str(rows / PART))
    of_the_file = {"sizes": json.dumps([(rows / PART).stat().st_size]), "columns": json.dumps([["id", "INTEGER"]])}
    receipt = Receipt(rows=10, files=1, more={"parts": json.dumps([PART]), **of_the_file})
    with open_metastore(project.target) as metastore:
        for node in project.models:
            for ds in span(FIRST, LAST):
                metastore.publish(Version(Slice(node.table, ds), new_version_id(), receipt, str(rows)))


def source(root: Path) -> str:
    """A PostgreSQL with a table of ten rows."""
    import psycopg2  # noqa: PLC0415

    dsn = embedded_postgres.start(root / "postgres")
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("create table ten as select n, 'row ' || n as text from generate_series(1, 10) as n")
    return dsn


if __name__ == "__main__":
    main()
