"""Opens a target's metastore."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayslice.engines.duckdb_file import open_duckdb
from dayslice.engines.target import Target
from dayslice.metastore.duckdb import DuckDBMetastore
from dayslice.metastore.interface import Catalog, Metastore


@dataclass(frozen=True)
class MetastorePlace:
    """Which metastore, and where: a DuckDB file, a Thrift URI, or a Glue catalog ('' is the account's own)."""

    kind: str
    at: str


def place_of(target: Target) -> MetastorePlace:
    """Where a target's metastore is."""
    if target.database_file is not None:
        return MetastorePlace("duckdb", str(target.database_file))
    return _catalog_place(target.credentials)


@contextmanager
def open_metastore(target: Target) -> Iterator[Metastore]:
    """The metastore of a target, for a short look. On the local target others wait meanwhile."""
    with open_place(place_of(target)) as metastore:
        yield metastore


@contextmanager
def open_place(place: MetastorePlace) -> Iterator[Metastore]:
    """The metastore at a place, for a short look."""
    if place.kind == "duckdb":
        with open_duckdb(Path(place.at)) as connection:
            yield DuckDBMetastore(connection)
    else:
        with _open_catalog_at(place) as catalog:
            yield catalog


@contextmanager
def open_catalog(credentials: Any) -> Iterator[Catalog]:
    """The metastore that a trino target's credentials name."""
    with _open_catalog_at(_catalog_place(credentials)) as catalog:
        yield catalog


def _catalog_place(credentials: Any) -> MetastorePlace:
    if credentials.metastore == "glue":
        return MetastorePlace("glue", credentials.glue_catalog or "")
    return MetastorePlace("hive", credentials.metastore_uri)


@contextmanager
def _open_catalog_at(place: MetastorePlace) -> Iterator[Catalog]:
    if place.kind == "glue":
        from dayslice.metastore.glue import GlueMetastore  # noqa: PLC0415 - boto3, for those who use it

        with GlueMetastore(place.at or None) as catalog:
            yield catalog
    else:
        from dayslice.metastore.hive import HiveMetastore  # noqa: PLC0415 - Thrift's generated code is large

        with HiveMetastore(place.at) as catalog:
            yield catalog
