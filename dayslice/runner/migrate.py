"""Takes a home of before, whose warehouse was one DuckDB file, to slices in files. Nothing is lost.

The old file is only read, and put aside when all is done. What cannot be taken is refused by name before anything is
changed; a migration that was killed is done again from its beginning.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from dayslice.engines.embedded import copy_to_parquet
from dayslice.engines.landed_csv import literal, quoted
from dayslice.engines.reading import stored_type
from dayslice.engines.target import Target
from dayslice.errors import Refused, UsageError
from dayslice.metastore import readers_file
from dayslice.metastore.integrity import check_whole
from dayslice.metastore.ownership import write_mark
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.stages import version_location
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.store.choice import open_store
from dayslice.store.duckdb_s3 import read_s3

OLD = "_dayslice"
FILE = "part-00.parquet"
_LATEST = re.compile(r"select \* from .+ where \(?ds = '[^']*'\)?\)*;?$", re.IGNORECASE | re.DOTALL)


@dataclass
class Migrated:
    """What was taken over."""

    slices: int = 0
    versions: int = 0
    tables: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    kept: str = ""


def migrate(target: Target) -> Migrated:
    """Take the old warehouse of a local target over. Raises UsageError where there is none, Refused by name."""
    file = target.database_file
    if file is None:
        raise UsageError("only a warehouse on the local target is migrated")
    before = file.with_name("dayslice.before.duckdb")
    new = target.metastore_file.with_name("metastore.sqlite.new")
    if target.metastore_file.exists():
        raise UsageError(f"{target.metastore_file} is there already: nothing is to be migrated")
    source = file if file.exists() else before
    if not source.exists():
        raise UsageError(f"there is no {file}: nothing is to be migrated")
    for left in (new, new.with_name(f"{new.name}-wal"), new.with_name(f"{new.name}-shm")):
        left.unlink(missing_ok=True)
    with duckdb.connect(str(source), read_only=True) as connection:
        if not _rows(connection, "select 1 from duckdb_tables() where schema_name = ?", OLD):
            raise UsageError(f"{source} is no warehouse of Dayslice: it has no schema {OLD}")
        read_s3(connection, target.warehouse)
        old = OldWarehouse(connection, target)
        old.check()
        with SQLiteMetastore(new, begins_anew=True) as metastore:
            done = old.take(metastore)
            write_mark(metastore.owner(), target.warehouse)
            metastore.connection.execute("pragma wal_checkpoint(truncate)")
    if source == file:
        file.replace(before)
    new.replace(target.metastore_file)
    readers_file.make(file, target.metastore_file, target.warehouse)
    done.kept = str(before)
    return done


class OldWarehouse:
    """A DuckDB file of before, open for reading."""

    def __init__(self, connection: Any, target: Target):
        self.connection = connection
        self.target = target
        self.store = open_store(target.warehouse)
        columns = {name for name, *_ in connection.execute(f"describe {OLD}.versions").fetchall()}
        order = "sequence" if "sequence" in columns else "version"
        rows = connection.execute(
            "select table_schema, table_name, ds, version, location, receipt, published "
            f"from {OLD}.versions order by table_schema, table_name, ds, {order}"
        ).fetchall()
        self.versions = [
            (Version(Slice(Table(schema, name), ds), version, Receipt.from_json(receipt), location), published)
            for schema, name, ds, version, location, receipt, published in rows
        ]
        self.of_models = {v.slice.table for v, _ in self.versions if not v.location}

    def check(self) -> None:
        """Refuse what cannot be taken over, before anything is written."""
        for version, published in self.versions:
            if version.location and published:
                check_whole(version)
        for table in sorted(self.of_models):
            known = {v.slice.ds: v.receipt.rows for v, shown in self.versions if v.slice.table == table and shown}
            counted = dict(_rows(self.connection, f"select ds, count(*) from {_name(table)} group by ds"))
            for ds in sorted({*known, *counted}):
                if known.get(ds, 0) != counted.get(ds, 0):
                    raise Refused(
                        f"{table} {ds} has {counted.get(ds, 0)} rows in {self.target.database_file} where "
                        f"{known.get(ds, 0)} were published: make it again with the version of before, or delete it"
                    )
            self._columns(table)
        for table in self._plain_tables():
            self._columns(table)

    def take(self, metastore: SQLiteMetastore) -> Migrated:
        """Write the rows of models and plain tables as files, and publish all that was published."""
        done = Migrated()
        taken = [(self._written(v) if not v.location else v, shown) for v, shown in self.versions]
        # In their order, and then the published ones once more: a version keeps its place in time.
        metastore.publish_first([v for v, _ in taken])
        metastore.publish_first([v for v, shown in taken if shown])
        done.versions = len(taken)
        done.slices = sum(shown for _, shown in taken)
        for table in self._plain_tables():
            metastore.publish(self._written(Version(Slice(table, ""), new_version_id(), Receipt(rows=0))))
            done.tables.append(str(table))
        for view, sql in self._views():
            of = Table(view.schema, view.name.removesuffix("_latest"))
            if view in {v.slice.table for v, _ in taken}:
                continue  # an import's view, which its versions are
            if view.name.endswith("_latest") and _LATEST.search(sql):
                metastore.publish_latest(view, of)
            else:
                metastore.publish_view(view, sql)
            done.views.append(str(view))
        return done

    def _written(self, version: Version) -> Version:
        table, ds = version.slice.table, version.slice.ds
        root = self.target.warehouse
        place = f"{table.schema}/{table.name}/{version.id}"
        location = version_location(root, version.slice, version.id) if ds else f"{root}/{place}"
        columns = self._columns(table)
        values = [f"cast({quoted(name)} as {stored_type(str(table), name, type)}) as {quoted(name)}"
                  for name, type in columns]  # fmt: skip
        where = f", ds from {_name(table)} where ds = {literal(ds)}" if ds else f" from {_name(table)}"
        self.store.remove(place)
        open_store(location).make("")
        rows = copy_to_parquet(self.connection, f"select {', '.join(values)}{where}", f"{location}/{FILE}")
        self.store.sync(place)
        store = open_store(location)
        (size,) = store.sizes("").values()
        more = {
            **version.receipt.more,
            "columns": json.dumps(columns, ensure_ascii=False),
            "parts": json.dumps([FILE]),
            "sizes": json.dumps([size]),
            **({} if "://" in location else {"checksums": json.dumps([store.checksum(FILE)])}),
        }
        return replace(
            version, location=location, receipt=replace(version.receipt, rows=rows, bytes=size, files=1, more=more)
        )

    def _columns(self, table: Table) -> list[list[str]]:
        found = self.connection.execute(f"describe {_name(table)}").fetchall()
        columns = [[name, type] for name, type, *_ in found if name != "ds" or table not in self.of_models]
        for name, type in columns:
            stored_type(str(table), name, type)  # raises for what files cannot hold
        return columns

    def _plain_tables(self) -> list[Table]:
        rows = _rows(
            self.connection,
            "select schema_name, table_name from duckdb_tables() where not internal and not temporary "
            "and not starts_with(schema_name, '_') order by all",
        )
        return [table for row in rows if (table := Table(*row)) not in self.of_models]

    def _views(self) -> Iterator[tuple[Table, str]]:
        rows = _rows(
            self.connection,
            "select schema_name, view_name, sql from duckdb_views() where not internal and not temporary "
            "and not starts_with(schema_name, '_') order by all",
        )
        for schema, name, sql in rows:
            with suppress(ValueError):
                yield Table(schema, name), sql[re.search(r"\bAS\b", sql).end() :].strip().rstrip(";")  # type: ignore[union-attr]


def _name(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _rows(connection: Any, sql: str, *values: str) -> list[Any]:
    rows: list[Any] = connection.execute(sql, list(values)).fetchall()
    return rows
