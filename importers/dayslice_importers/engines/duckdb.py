"""The local engine: reads landed files as typed rows, writes them beside as Parquet, and publishes both.

What it counts are the rows that it wrote. Who reads an import reads those columns; the CSV stays as what landed.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from dayslice.engines.embedded import QUICK, QUIET, copy_to_parquet
from dayslice.engines.landed_csv import Columns, columns_of, decoded, quoted, read_csv, scan_versions
from dayslice.engines.reading import typed_location
from dayslice.engines.target import metastore_beside
from dayslice.errors import Refused
from dayslice.metastore import readers_file
from dayslice.metastore.ownership import check_owner
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.slices import Table, Version
from dayslice.store.choice import open_store
from dayslice.store.duckdb_s3 import read_s3
from dayslice_importers.engines.long_rows import LONG_ROW, bound, shortened
from dayslice_importers.landing import BUFFER_BYTES
from dayslice_importers.source_errors import shows_values
from dayslice_importers.types.numeric import decimal_type

# Files are read once: nothing of them is worth keeping in memory.
READER: dict[str, Any] = {"threads": 2, "preserve_insertion_order": False, "enable_external_file_cache": False}
NO_FOLDERS = "hive_partitioning = false"


def suspect(name: str, declared: str, kind: str) -> str | None:
    """A condition that holds for every value, as landed, that may not fit its type here; None where all values fit.

    It is cheap, where to cast every value would take as long as to read the file. What it lets through the type holds:
    a test casts the least and the greatest values of each.
    """
    column = quoted(name)
    if kind.startswith("decimal"):
        own = re.fullmatch(r"numeric\((\d+),(-?\d+)\)", declared)
        if own and (carried := decimal_type(int(own[1]), int(own[2]))) and carried.duckdb == kind:
            return f"contains({column}, 'N')"  # all that its own type lets in is NaN
        return f"{column} is not null"
    if kind.startswith("timestamp"):
        # Years go to 294276 there, and into January of 294247 here.
        return f"starts_with({column}, '2942')"
    return None


def _count(connection: Any, scan: str, columns: Columns) -> int:
    """Rows, with every suspect value cast. Raises duckdb.Error for one that fails."""
    values = [
        f"count(case when {condition} then {decoded(name, kind, decoding)} end)"
        for name, _, declared, kind, decoding in columns
        if (condition := suspect(name, declared, kind))
    ]
    found = connection.execute(f"select {', '.join(['count(*)', *values])} from {scan}").fetchone()
    return int(found[0]) if found else 0


def _few_rows(longest: int) -> str:
    """How the rows of a Parquet file are grouped: DuckDB holds 122,880 of them, however long, if it is not told."""
    return "row_group_size_bytes '16MB'" if longest > BUFFER_BYTES else ""


def _typed(columns: Columns, scan: str) -> str:
    """The SELECT of typed rows, every value cast."""
    values = [f"{decoded(name, kind, decoding)} as {quoted(name)}" for name, _, _, kind, decoding in columns]
    return f"select {', '.join(values)} from {scan}"


class DuckDBEngine:
    """See `importers.engines.interface.Engine`. `file` is the readers' file; the metastore lies beside it."""

    counts_files = True

    def __init__(self, file: Path, warehouse: str):
        self.file = file
        self.warehouse = warehouse
        # A file takes longer to be written as columns than to be copied, so that one at a time would be waited for.
        self.counters = threading.Semaphore(max(2, os.cpu_count() or 1))

    def check(self) -> None:
        """See `Engine.check`."""
        with SQLiteMetastore(metastore_beside(self.file)) as metastore:
            check_owner(metastore, self.warehouse)

    def count(self, version: Version, columnar: bool) -> int:
        """See `Engine.count`."""
        columns = columns_of(version)
        with self._reader() as connection:
            try:
                if not columnar:
                    return _count(connection, scan_versions([version], columns), columns)
                place = typed_location(version.location)
                store = open_store(place)
                store.remove("")
                store.make("")
                select = _typed(columns, scan_versions([version], columns))
                rows = _few_rows(int(version.receipt.more["longest_line"]))
                return copy_to_parquet(connection, select, f"{place}/part-00.parquet", rows, QUICK)
            except duckdb.Error as error:
                raise self._culprit(connection, version, error) from None

    def count_file(self, file: str, columns: Columns, longest: int, into: str | None) -> int | None:
        """See `Engine.count_file`."""
        # One thread, as a file of zstd cannot be read by more.
        with self.counters, duckdb.connect(config={**READER, "threads": 1}) as connection:
            connection.execute(QUIET)
            try:
                if longest >= LONG_ROW:
                    with shortened(file) as texts:
                        scan = read_csv([texts], columns, bound(len(columns)), NO_FOLDERS, "none")
                        return _count(connection, scan, columns)
                scan = read_csv([file], columns, longest, NO_FOLDERS)
                if into is None:
                    return _count(connection, scan, columns)
                read_s3(connection, self.warehouse)
                return copy_to_parquet(connection, _typed(columns, scan), into, _few_rows(longest), QUICK)
            except (duckdb.Error, OSError, zstandard.ZstdError):
                return None

    def publish(self, version: Version) -> list[Version]:
        """Publish a version by one transaction. Nothing is dropped: `dayslice retain` does it later."""
        table = version.slice.table
        latest = Table(table.schema, f"{table.name}_latest")
        with SQLiteMetastore(metastore_beside(self.file)) as metastore:
            metastore.publish(version)
            if metastore.standing(latest) is None:
                metastore.publish_latest(latest, table)
        readers_file.published(self.file, metastore_beside(self.file), self.warehouse)
        return []

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        """DuckDB in memory."""
        # Closed each time: its threads, left open, abort a process that is forked later.
        with duckdb.connect(config=READER) as connection:
            connection.execute(QUIET)
            read_s3(connection, self.warehouse)
            yield connection

    def _culprit(self, connection: Any, version: Version, error: duckdb.Error) -> Refused:
        """Which column cannot be read, with one example of its landed text."""
        for name, _, declared, kind, decoding in columns_of(version):
            try:
                example = connection.execute(
                    f"select {quoted(name)} from {scan_versions([version], columns_of(version))} "
                    f"where {quoted(name)} is not null and try({decoded(name, kind, decoding)}) is null limit 1"
                ).fetchone()
            except duckdb.Error:
                continue
            if example:
                return Refused(
                    f"{version.slice}: column {name} ({declared}) has {shown(example[0])}, which no {kind} holds; "
                    f"nothing was published. Carry it as text (types: {{{name}: text}}), or leave such rows out "
                    "(row_filter)"
                )
        return Refused(f"{version.slice}: the landed files cannot be read: {_hidden(error)}")


def shown(value: str) -> str:
    """A value of the source's as an error has it."""
    return repr(value) if shows_values() else "a value (--show-values shows it)"


def _hidden(error: Exception) -> str:
    return _first(error) if shows_values() else f"{type(error).__name__} (--show-values shows what DuckDB said)"


def _first(error: Exception) -> str:
    return str(error).split("\n")[0]
