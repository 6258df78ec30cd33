"""The same trivial tables as projects of Dayslice, of dbt in two ways, and of SQLMesh."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST = date(2013, 1, 1)
# Every so many tables one reads the table before it.
ONE_IN = 10
PEER_PROFILE = "peer: {target: local, outputs: {local: {type: duckdb, path: peer.duckdb, threads: 4}}}\n"
DBT_PROJECT = "name: peer\nprofile: peer\nmodels:\n  peer:\n    +materialized: incremental\n"
BY_VARS = "    +incremental_strategy: delete+insert\n    +unique_key: ds\n"
MICROBATCH = (
    "    +incremental_strategy: microbatch\n    +event_time: ds\n    +batch_size: day\n"
    f"    +begin: '{FIRST.isoformat()}'\n    +lookback: 0\n"
)
SQLMESH = """gateways: {local: {connection: {type: duckdb, database: peer.duckdb}}}
default_gateway: local
model_defaults: {dialect: duckdb, start: '%s'}
"""
SQLMESH_MODEL = """model (
  name bench.%s,
  kind incremental_by_time_range (time_column (ds, '%%Y-%%m-%%d'), batch_size 1),
  cron '@daily',
  end '%s'
);
select %d as id, @end_ds as ds%s
"""


def numbered(tables: int) -> Iterator[tuple[int, str, str | None]]:
    """Number, name, and the table that it reads, if it does."""
    for number in range(tables):
        yield number, f"t{number:04}", f"t{number - 1:04}" if number % ONE_IN == ONE_IN - 1 else None


def write_own(root: Path, tables: int, schema: str = "analytics") -> None:
    """So many tables of one row a ds, as slices."""
    shutil.copy(ROOT / "dbt_project.yml", root)
    (root / "profiles.yml").write_text(
        (ROOT / "profiles.yml").read_text().replace("schema: analytics", f"schema: {schema}")
    )
    (root / "models").mkdir()
    for number, name, read in numbered(tables):
        reads = f" from {{{{ ref('{read}') }}}}" if read else ""
        (root / "models" / f"{name}.sql").write_text(f"select {number} as id, '{{{{ ds() }}}}' as day{reads}\n")


def write_dbt(root: Path, tables: int) -> None:
    """As one writes them for `dbt build --vars`: a ds is deleted and inserted."""
    _dbt_project(root, BY_VARS)
    for number, name, read in numbered(tables):
        reads = f" from {{{{ ref('{read}') }}}} where ds = '{{{{ var('ds') }}}}'" if read else ""
        (root / "models" / f"{name}.sql").write_text(f"select {number} as id, '{{{{ var('ds', '') }}}}' as ds{reads}\n")


def write_microbatch(root: Path, tables: int) -> None:
    """As dbt's microbatch wants them: it restricts what is read by itself."""
    _dbt_project(root, MICROBATCH)
    start = "timestamp '{{ model.batch.event_time_start.strftime('%Y-%m-%d') if model.batch else '2013-01-01' }}'"
    for number, name, read in numbered(tables):
        reads = f" from {{{{ ref('{read}') }}}}" if read else ""
        (root / "models" / f"{name}.sql").write_text(f"select {number} as id, {start} as ds{reads}\n")


def write_sqlmesh(root: Path, tables: int, days: int) -> None:
    """As SQLMesh's models by time range, each ds by a query of its own, as all others make it."""
    (root / "config.yaml").write_text(SQLMESH % FIRST.isoformat())
    (root / "models").mkdir()
    end = (FIRST + timedelta(days=days - 1)).isoformat()
    for number, name, read in numbered(tables):
        reads = f" from bench.{read} where ds between @start_ds and @end_ds" if read else ""
        (root / "models" / f"{name}.sql").write_text(SQLMESH_MODEL % (name, end, number, reads))


def _dbt_project(root: Path, config: str) -> None:
    (root / "dbt_project.yml").write_text(DBT_PROJECT + config)
    (root / "profiles.yml").write_text(PEER_PROFILE)
    (root / "models").mkdir()
