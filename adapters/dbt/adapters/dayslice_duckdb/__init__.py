"""dbt-duckdb, with slices: the local target's adapter (`type: dayslice_duckdb`)."""

from pathlib import Path

from dbt.adapters.base import AdapterPlugin
from dbt.adapters.dayslice_duckdb.impl import Dayslice_DuckDBAdapter, SliceDuckDBCredentials

Plugin = AdapterPlugin(
    adapter=Dayslice_DuckDBAdapter,
    credentials=SliceDuckDBCredentials,
    include_path=str(Path(__file__).parents[2] / "include" / "dayslice"),
    dependencies=["duckdb"],
)
