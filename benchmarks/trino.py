"""What a published slice costs on Trino, beside a bare INSERT and dbt-trino's own ways; and whether it stays flat.

    eval "$(dayslice stack env)" && python -m benchmarks.trino [write] [publish] [read]

Needs a stack that is up. All times are seconds in one run on one machine; only the ratios are meant to be compared.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from benchmarks.trino_tables import Server
from dayslice.rules.slices import Receipt, Slice, Version, new_version_id
from dayslice.runner.dbt_runs import Dbt

ROOT = Path(__file__).parents[1]
SIZES = (10, 1_000, 10_000)
WARM_UP = "{% if var('warm_up', false) %} where orderkey < 1000{% endif %}"
MODELS = {
    "ours.sql": "{{ config(schema='bench', meta={'slice': 'events'}) }}\nselect * from bench.lineitem" + WARM_UP,
    "iceberg_delete_insert.sql": "{{ config(materialized='incremental', database='iceberg', schema='bench_iceberg', "
    "incremental_strategy='delete+insert', unique_key='ds', properties={'partitioning': \"array['ds']\"}) }}\n"
    "select *, cast('{{ ds() }}' as varchar) as ds from hive.bench.lineitem" + WARM_UP,
    "iceberg_append.sql": "{{ config(materialized='incremental', database='iceberg', schema='bench_iceberg', "
    "incremental_strategy='append', properties={'partitioning': \"array['ds']\"}, "
    "pre_hook=\"{% if is_incremental() %}delete from {{ this }} where ds = '{{ ds() }}'{% endif %}\") }}\n"
    "select *, cast('{{ ds() }}' as varchar) as ds from hive.bench.lineitem" + WARM_UP,
}


def main() -> None:
    """Run the parts that are named, or all."""
    parts: dict[str, Callable[[Server], Grid]] = {
        "write": measure_writes,
        "publish": measure_publication,
        "read": measure_reads,
    }
    server = Server.from_environment()
    for name in sys.argv[1:] or parts:
        Console(width=120).print(parts[name](server))


def measure_writes(server: Server) -> Grid:
    """One slice of TPC-H's lineitem at scale 1, 6 million rows, replaced."""
    server.make_lineitem()
    with tempfile.TemporaryDirectory() as folder:
        dbt = dbt_project(Path(folder))
        for ds in ("2013-01-01", "2013-01-02"):  # tables are made, and caches are warm
            dbt.run(["run", "--vars", "{warm_up: true}"], ds)
        # Not counted: the first to write so many rows pays for what Java has not compiled yet.
        server.bare_insert()
        seconds: dict[str, list[float]] = {}
        for _ in range(2):
            seconds.setdefault("bare INSERT into a new partition", []).append(server.bare_insert())
            for result in dbt.run(["run"], "2013-01-02"):
                if result.failed:
                    raise RuntimeError(result.message)
                if result.unique_id.startswith("model."):
                    seconds.setdefault(result.unique_id.split(".")[-1], []).append(result.seconds)
            seconds.setdefault("Hive: DELETE the partition, INSERT", []).append(server.delete_and_insert())
    grid = Grid("one slice of 6,001,215 rows", "seconds", "to the bare INSERT", title="write")
    bare = min(seconds["bare INSERT into a new partition"])
    for name, measured in seconds.items():
        grid.add_row(name, ", ".join(f"{each:.1f}" for each in measured), f"{min(measured) / bare:.2f}")
    return grid


def dbt_project(folder: Path) -> Dbt:
    """A project with our macros and the three models, one at a time."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (folder / name).write_text((ROOT / name).read_text().replace("threads: 4", "threads: 1"))
    (folder / "macros").mkdir()
    (folder / "macros" / "generate_schema_name.sql").write_text(
        "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}"
    )
    (folder / "models").mkdir()
    for name, text in MODELS.items():
        (folder / "models" / name).write_text(text)
    return Dbt(folder, "trino")


def measure_publication(server: Server) -> Grid:
    """One slice is published again and again in a table with many."""
    grid = Grid("slices in the table", "median, ms", "worst, ms", title="publish alone: 50 replacements")
    for size in SIZES:
        table = server.table_of_slices(size)
        seconds = []
        with server.metastore() as metastore:
            for number in range(50):
                place = Slice(table, server.day(number * 7 % size))
                version = Version(place, new_version_id(), Receipt(rows=25), f"{server.nation_location}_{size}")
                begin = time.perf_counter()
                metastore.publish(version)
                seconds.append(time.perf_counter() - begin)
        grid.add_row(f"{size:,}", f"{statistics.median(seconds) * 1000:.0f}", f"{max(seconds) * 1000:.0f}")
    return grid


def measure_reads(server: Server) -> Grid:
    """Queries of one ds, and of the latest view, beside the same in a table of one slice."""
    grid = Grid("slices in the table", "one ds, s", "ratio", "_latest, s", "ratio", title="read: median of 15")
    first: list[float] = []
    for size in (1, *SIZES):
        table = server.table_of_slices(size)
        newest = server.day(size - 1)
        server.run(f"create or replace view {table}_latest as select * from {table} where ds = '{newest}'")
        queries = [f"select count(*) from {table} where ds = '{newest}'", f"select count(*) from {table}_latest"]
        medians = [statistics.median(server.seconds(query) for _ in range(15)) for query in queries]
        first = first or medians
        ratios = [mine / one for mine, one in zip(medians, first, strict=True)]
        grid.add_row(f"{size:,}", f"{medians[0]:.2f}", f"{ratios[0]:.2f}", f"{medians[1]:.2f}", f"{ratios[1]:.2f}")
    return grid


if __name__ == "__main__":
    os.environ.setdefault("DAYSLICE_TARGET", "trino")
    main()
