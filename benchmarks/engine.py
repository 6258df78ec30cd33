"""The embedded engine by itself: a publication, reads of one ds and of `_latest` by the length of history, readers.

Run: python -m benchmarks.engine [--slices 10 1000 10000]. Rows are few, so that what is seen is what history costs.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table as Shown

from dayslice.engines.embedded import copy_to_parquet, open_engine
from dayslice.engines.target import Target
from dayslice.metastore import readers_file
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.visible import Visible
from dayslice.rules.calendar import span
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.runner.fenced_duckdb import fenced_duckdb

TABLE = Table("analytics", "t")
FIRST = "1990-01-01"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slices", type=int, nargs="+", default=[10, 1000, 10_000])
    chosen = options.parse_args()
    shown = Shown("slices", "publish", "a build reads one ds", "_latest", "one ds by a view")
    for title in ("one ds, dayslice sql", "readers' file", "open it"):
        shown.add_column(title)
    for number in chosen.slices:
        with tempfile.TemporaryDirectory() as folder:
            shown.add_row(str(number), *(f"{seconds * 1000:.1f} ms" for seconds in measure(Path(folder), number)))
    Console().print(shown)


def measure(home: Path, number: int) -> list[float]:
    """Each the best of five."""
    warehouse, file, place = str(home / "landing"), home / "dayslice.duckdb", home / "metastore.sqlite"
    slices = span(FIRST, "2019-12-31")[:number]
    with duckdb.connect() as connection:
        rows = "select range as id, range * 1.5 as v from range(1000)"
        copy_to_parquet(connection, rows, str(home / "one.parquet"))
    versions = [written(home, warehouse, ds) for ds in slices]
    with SQLiteMetastore(place) as metastore:
        metastore.publish_first(versions)
        metastore.publish_latest(Table("analytics", "t_latest"), TABLE)
        publish = best(lambda: metastore.publish(versions[number // 2]))
        with open_engine(home, warehouse) as connection:
            visible = Visible(connection, metastore)
            wanted = f'(select * from "dayslice"."analytics"."t" where ds = \'{slices[number // 2]}\')'
            build = best(lambda: connection.execute(f"select sum(v) from {visible.prepare(wanted)}").fetchall())
    make = best(lambda: readers_file.make(file, place, warehouse), before=lambda: touch(place, versions[0]))
    latest, by_sql, opened = reading(file, slices[number // 2])
    return [publish, build, latest, by_sql, asked(home, slices[number // 2]), make, opened]


def written(home: Path, warehouse: str, ds: str) -> Version:
    """A version whose file is a link to the same one."""
    name = f"v{ds.replace('-', '')}000000000000_abcdef"
    location = Path(warehouse, "analytics", "t", name, f"ds={ds}")
    location.mkdir(parents=True)
    (location / "part-00.parquet").hardlink_to(home / "one.parquet")
    more = {"columns": json.dumps([["id", "BIGINT"], ["v", "DECIMAL(21,1)"]]), "parts": '["part-00.parquet"]'}
    size = (home / "one.parquet").stat().st_size
    receipt = Receipt(rows=1000, bytes=size, files=1, more={**more, "sizes": json.dumps([size])})
    return Version(Slice(TABLE, ds), name, receipt, str(location))


def touch(place: Path, version: Version) -> None:
    """Something was published, so that the readers' file has to be made anew."""
    with SQLiteMetastore(place) as metastore:
        metastore.publish(version)


def reading(file: Path, ds: str) -> list[float]:
    with duckdb.connect(str(file), read_only=True) as connection:
        latest = best(lambda: connection.execute("select sum(v) from analytics.t_latest").fetchall())
        one = best(lambda: connection.execute(f"select sum(v) from analytics.t where ds = '{ds}'").fetchall())

    def opened() -> None:
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("select sum(v) from analytics.t_latest").fetchall()

    return [latest, one, best(opened)]


def asked(home: Path, ds: str) -> float:
    """A query of one ds as `dayslice sql` and `dayslice.sql` ask it, on an open connection."""
    target = Target(
        name="local",
        type="duckdb",
        database="dayslice",
        schema="analytics",
        home=home,
        warehouse=str(home / "landing"),
        database_file=home / "dayslice.duckdb",
        credentials=None,
    )
    with fenced_duckdb(target, "UTC") as fenced:

        def ask() -> None:
            with fenced.ask(f"select sum(v) from t where ds = '{ds}'") as answer:
                list(answer.rows())

        return best(ask)


def best(call: Callable[[], object], before: Callable[[], object] = lambda: None, times: int = 5) -> float:
    found = []
    for _ in range(times):
        before()
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


if __name__ == "__main__":
    main()
