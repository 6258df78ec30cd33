"""Opens a target's metastore."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayslice.engines.target import Target, staged_in
from dayslice.metastore import readers_file
from dayslice.metastore.interface import Catalog, Metastore
from dayslice.metastore.overlay import Overlay
from dayslice.metastore.sqlite import SQLiteMetastore


@dataclass(frozen=True)
class MetastorePlace:
    """Which metastore, and where: an SQLite file, a Thrift URI, or a Glue catalog ('' is the account's own)."""

    kind: str
    at: str


def place_of(target: Target) -> MetastorePlace:
    """Where a target's metastore is."""
    if target.database_file is not None:
        return MetastorePlace("sqlite", str(target.metastore_file))
    return _catalog_place(target.credentials)


@contextmanager
def open_metastore(target: Target) -> Iterator[Metastore]:
    """The metastore of a target, for a short look."""
    with open_place(place_of(target)) as metastore:
        yield metastore


def tell_readers(target: Target) -> None:
    """Something was published or removed: on the local target the readers' file follows."""
    if target.database_file is not None:
        readers_file.published(target.database_file, target.metastore_file, target.warehouse)


def show_readers(target: Target) -> None:
    """What was published is in the readers' file when this returns."""
    if target.database_file is not None:
        readers_file.make(target.database_file, target.metastore_file, target.warehouse)


@contextmanager
def open_place(place: MetastorePlace) -> Iterator[Metastore]:
    """The metastore at a place, for a short look."""
    if place.kind == "sqlite":
        with SQLiteMetastore(Path(place.at)) as metastore:
            yield metastore
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
            yield _as_seen(catalog)
    else:
        from dayslice.metastore.hive import HiveMetastore  # noqa: PLC0415 - Thrift's generated code is large

        with HiveMetastore(place.at) as catalog:
            yield _as_seen(catalog)


def _as_seen(catalog: Catalog) -> Catalog:
    """A catalog as this process sees it: in a run that publishes together, with what that has staged."""
    file = staged_in()
    if file is None:
        return catalog
    overlay: Any = Overlay(catalog, file)
    return overlay  # type: ignore[no-any-return]
