"""Opens a target's metastore."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dayslice.duckdb_file import open_duckdb
from dayslice.duckdb_metastore import DuckDBMetastore
from dayslice.metastore import Catalog, Metastore
from dayslice.target import Target


@contextmanager
def open_metastore(target: Target) -> Iterator[Metastore]:
    """The metastore of a target, for a short look. On the local target others wait meanwhile."""
    if target.database_file is None:
        with open_catalog(target.credentials) as catalog:
            yield catalog
    else:
        with open_duckdb(target.database_file) as connection:
            yield DuckDBMetastore(connection)


@contextmanager
def open_catalog(credentials: Any) -> Iterator[Catalog]:
    """The metastore that a trino target's credentials name."""
    if credentials.metastore == "glue":
        from dayslice.glue_metastore import GlueMetastore  # noqa: PLC0415 - boto3, for those who use it

        with GlueMetastore(credentials.glue_catalog) as catalog:
            yield catalog
    else:
        from dayslice.hive_metastore import HiveMetastore  # noqa: PLC0415 - Thrift's generated code is large

        with HiveMetastore(credentials.metastore_uri) as catalog:
            yield catalog
