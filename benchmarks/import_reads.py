"""Reads of one import: from its landed CSV, from its typed columns, and of the same rows in a native DuckDB table.

    python -m benchmarks.import_reads [--rows 1000000] [--times 10]

CPU seconds of DuckDB on one thread, the best of so many: others may use the machine.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import psycopg2
from rich.console import Console
from rich.table import Table as Shown

from benchmarks.import_one import DS
from benchmarks.importing import ROOT, TABLE
from benchmarks.measure import measure
from dayslice.engines.embedded import open_engine
from dayslice.engines.reading import select_versions, table_types
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.slices import Table
from dayslice.services import embedded_postgres

QUERIES = {
    "count(*)": "select count(*) from {rows}",
    "one column": "select sum(amount) from {rows}",
    "group by a text": "select status, count(*), avg(rate) from {rows} group by status",
    "a text searched": "select count(*) from {rows} where note like '%abc%'",
    "all columns": "select max(columns(*)) from {rows}",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=10)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        imported(Path(folder), home, chosen.rows)
        with SQLiteMetastore(home / "metastore.sqlite") as metastore:
            [version] = metastore.published(Table("erp", "orders"), [DS]).values()
        more = {name: value for name, value in version.receipt.more.items() if not name.startswith("typed")}
        types = table_types([version.receipt.more["columns"]])
        as_csv = replace(version, receipt=replace(version.receipt, more=more))
        with open_engine(home, str(home / "files")) as connection:
            connection.execute("set threads = 1")
            connection.execute(f"create view landed as {select_versions([as_csv], types)}")
            connection.execute(f"create view typed as {select_versions([version], types)}")
            connection.execute(f"attach '{folder}/native.duckdb' as native")
            connection.execute("create table native.main.rows as from typed")
            show(connection, chosen.times)


def imported(folder: Path, home: Path, rows: int) -> None:
    dsn = embedded_postgres.start(folder / "postgres")
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(TABLE.format(name="orders", rows=rows))
    connection.close()
    env = {**os.environ, "DAYSLICE_CONNECTION_SOURCE": dsn}
    measure([sys.executable, "-m", "benchmarks.import_one", str(home), str(home / "files"), "orders"], ROOT, env)


def show(connection: duckdb.DuckDBPyConnection, times: int) -> None:
    shown = Shown(
        "CPU s", "landed CSV", "typed columns", "native table", "CSV to native", "columns to native", box=None
    )
    for title, query in QUERIES.items():
        seconds = [
            spent(connection, query.format(rows=rows), times) for rows in ("landed", "typed", "native.main.rows")
        ]
        ratios = [seconds[0] / seconds[2], seconds[1] / seconds[2]]
        shown.add_row(title, *(f"{each:.3f}" for each in seconds), *(f"{each:.2f}" for each in ratios))
    Console(width=120).print(shown)


def spent(connection: duckdb.DuckDBPyConnection, query: str, times: int) -> float:
    found = []
    for _ in range(times):
        start = time.process_time()
        connection.execute(query).fetchall()
        found.append(time.process_time() - start)
    return min(found)


if __name__ == "__main__":
    main()
