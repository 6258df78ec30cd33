"""Opens a target's metastore, for a short look."""

from collections.abc import Iterator
from contextlib import contextmanager

from dayslice.duckdb_file import open_duckdb
from dayslice.duckdb_metastore import DuckDBMetastore
from dayslice.errors import UsageError
from dayslice.metastore import Metastore
from dayslice.target import Target


@contextmanager
def open_metastore(target: Target) -> Iterator[Metastore]:
    """The metastore of a target. On the local target others wait meanwhile."""
    if target.database_file is None:
        raise UsageError(f"target {target.name}: there is no metastore for {target.type} yet")
    with open_duckdb(target.database_file) as connection:
        yield DuckDBMetastore(connection)
