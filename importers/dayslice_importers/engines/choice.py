"""Which engine publishes a target's imports."""

from dayslice.engines.target import Target
from dayslice_importers.engines.interface import Engine


def open_engine(target: Target) -> Engine:
    """The engine of a target."""
    if target.database_file is not None:
        from dayslice_importers.engines.duckdb import DuckDBEngine  # noqa: PLC0415

        return DuckDBEngine(target.database_file, target.warehouse)
    from dayslice_importers.engines.trino import TrinoEngine  # noqa: PLC0415

    return TrinoEngine(target.credentials)
