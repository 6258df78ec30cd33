"""Ten tables joined into one flat slice, at growing scales: the query by itself, and as a slice.

    eval "$(dayslice stack env)" && python -m benchmarks.ten_way_join --on trino --scales 1 4 16
    python -m benchmarks.ten_way_join --on local --scales 1 4 16 --tables FOLDER

TPC-H's tables at scale N have 6 N million lines of orders. On Trino they are ORC in the stack's S3, made once by its
own generator; locally Parquet in FOLDER/sfN, as a wheel that is not of this project makes them:
`tpchgen-cli parquet --scale-factor N --output-dir FOLDER/sfN`. The query by itself writes the same rows in the same
format; the slice is staged, fingerprinted, audited (two columns never null, rows there) and published. Each runs once,
after a warm-up at the first scale: a large one takes minutes.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table as Shown

from benchmarks.trino_tables import Server
from dayslice.runner.dbt_runs import Dbt

ROOT = Path(__file__).parents[1]
TABLES = ("lineitem", "orders", "customer", "nation", "region", "part", "supplier", "partsupp")
DS = "2013-01-01"
JOIN = """
select
    l.orderkey, l.linenumber, l.quantity, l.extendedprice, l.discount, l.shipdate,
    o.orderstatus, o.orderdate, o.orderpriority,
    c.name as customer, c.mktsegment, cn.name as customer_nation, cr.name as customer_region,
    p.name as part, p.brand, p.type, s.name as supplier, sn.name as supplier_nation, sr.name as supplier_region,
    ps.supplycost, ps.availqty
from {lineitem} as l
inner join {orders} as o on l.orderkey = o.orderkey
inner join {customer} as c on o.custkey = c.custkey
inner join {nation} as cn on c.nationkey = cn.nationkey
inner join {region} as cr on cn.regionkey = cr.regionkey
inner join {part} as p on l.partkey = p.partkey
inner join {supplier} as s on l.suppkey = s.suppkey
inner join {nation} as sn on s.nationkey = sn.nationkey
inner join {region} as sr on sn.regionkey = sr.regionkey
inner join {partsupp} as ps on l.partkey = ps.partkey and l.suppkey = ps.suppkey
"""
AUDITED = """
models:
  - name: {name}
    config: {{schema: bench, meta: {{slice: events}}}}
    columns:
      - {{name: orderkey, data_tests: [not_null]}}
      - {{name: customer, data_tests: [not_null]}}
"""


def main() -> None:
    """Measure each scale, the smallest twice, and print as it goes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--on", choices=("trino", "local"), required=True)
    options.add_argument("--scales", type=int, nargs="+", default=[1, 4])
    options.add_argument("--tables", type=Path, help="local: the folder of the Parquet tables")
    chosen = options.parse_args()
    shown = Shown(
        "scale", "rows", "query, s", "slice, s", "ratio", "rows a second", "cost a row to the first", box=None
    )
    with tempfile.TemporaryDirectory() as folder:
        engine = OnTrino() if chosen.on == "trino" else OnDuckDB(Path(folder), chosen.tables)
        dbt = project(Path(folder), chosen.on, {f"flat_{scale}": engine.select(scale) for scale in chosen.scales})
        both(engine, dbt, chosen.scales[0])  # a warm-up
        first = 0.0
        for scale in chosen.scales:
            rows, bare, seconds = both(engine, dbt, scale)
            first = first or seconds / rows
            cells = f"{bare:.1f}", f"{seconds:.1f}", f"{seconds / bare:.2f}", f"{rows / seconds:,.0f}"
            shown.add_row(str(scale), f"{rows:,}", *cells, f"{seconds / rows / first:.2f}")
            Console(width=110).print(shown)


def both(engine: "OnTrino | OnDuckDB", dbt: Dbt, scale: int) -> tuple[int, float, float]:
    """Rows, seconds of the query by itself, and of the slice."""
    engine.make(scale)
    rows, bare = engine.bare(scale)
    begin = time.perf_counter()
    results = dbt.run(["build", "--select", f"flat_{scale}"], DS)
    if failed := [each.message for each in results if each.failed]:
        raise RuntimeError(failed)
    return rows, bare, time.perf_counter() - begin


class OnTrino:
    """ORC tables in S3, one schema a scale."""

    def __init__(self) -> None:
        self.server = Server.from_environment()

    def select(self, scale: int) -> str:
        """The join over this scale's tables."""
        return JOIN.format(**{name: f"bench_sf{scale}.{name}" for name in TABLES})

    def make(self, scale: int) -> None:
        """The tables, where they are not there yet."""
        self.server.run(f"create schema if not exists hive.bench_sf{scale}")
        for name in TABLES:
            self.server.run(f"create table if not exists bench_sf{scale}.{name} as select * from tpch.sf{scale}.{name}")

    def bare(self, scale: int) -> tuple[int, float]:
        """Rows and seconds of the query by itself."""
        self.server.run("drop table if exists bench.bare_flat")
        begin = time.perf_counter()
        [[rows]] = self.server.run(f"create table bench.bare_flat with (format = 'ORC') as {self.select(scale)}")
        seconds = time.perf_counter() - begin
        self.server.run("drop table bench.bare_flat")
        return rows, seconds


class OnDuckDB:
    """Parquet tables in a folder."""

    def __init__(self, folder: Path, tables: Path):
        self.folder, self.tables = folder, tables.absolute()

    def select(self, scale: int) -> str:
        """The join over this scale's tables."""
        letters = {"partsupp": "ps"}
        renamed = {}
        for name in TABLES:
            file = self.tables / f"sf{scale}" / f"{name}.parquet"
            prefix = f"{letters.get(name, name[0])}_"
            columns = [column for column, *_ in duckdb.execute(f"describe from '{file}'").fetchall()]
            listed = ", ".join(f"{column} as {column.removeprefix(prefix)}" for column in columns)
            renamed[name] = f"(select {listed} from read_parquet('{file}'))"
        return JOIN.format(**renamed)

    def make(self, scale: int) -> None:
        """They are there."""

    def bare(self, scale: int) -> tuple[int, float]:
        """Rows and seconds of the query by itself, with the memory and threads that a build has."""
        file = self.folder / "bare.parquet"
        with duckdb.connect(config={"temp_directory": str(self.folder / "spill")}) as connection:
            begin = time.perf_counter()
            copied = connection.execute(f"copy ({self.select(scale)}) to '{file}' (format parquet, compression zstd)")
            [[rows]] = copied.fetchall()
            seconds = time.perf_counter() - begin
        file.unlink()
        return rows, seconds


def project(folder: Path, target: str, models: dict[str, str]) -> Dbt:
    """Audited models of events, in a project of their own with a home of its own."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "models").mkdir()
    os.environ["DAYSLICE_HOME"] = str(folder / "home")
    for name, select in models.items():
        (folder / "models" / f"{name}.sql").write_text(select)
        (folder / "models" / f"{name}.yml").write_text(AUDITED.format(name=name))
    dbt = Dbt(folder, target)
    dbt.parse()
    return dbt


if __name__ == "__main__":
    main()
