"""The local engine: typed views over the published files, made anew in the transaction that publishes one more."""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from dayslice.engines.duckdb_file import open_duckdb
from dayslice.errors import DaysliceError, Refused
from dayslice.metastore.duckdb import DuckDBMetastore
from dayslice.rules.slices import Table, Version
from dayslice.store.duckdb_s3 import read_s3
from dayslice_importers.engines.interface import Columns
from dayslice_importers.names import PADDING
from dayslice_importers.source_errors import shows_values
from dayslice_importers.types.carried import Decoding
from dayslice_importers.types.numeric import decimal_type

# Each holds all values of those before it, exactly.
WIDENING = ("smallint", "integer", "bigint")
# The column of a file's name; no column of a source is called so.
FILE = "dayslice:file"
# Files are counted once: nothing of them is worth keeping in memory.
READER: dict[str, Any] = {"threads": 2, "preserve_insertion_order": False, "enable_external_file_cache": False}


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def decoded(name: str, type: str, decoding: str) -> str:
    """A column's value from its landed text. NUL cannot occur in PostgreSQL's text, so it keeps backslashes apart."""
    column = quoted(name)
    if decoding == Decoding.TEXT.value:
        undone = f"replace({column}, '\\\\', chr(0))"
        for escape, character in (("n", 10), ("t", 9), ("r", 13), ("b", 8), ("f", 12), ("v", 11)):
            undone = f"replace({undone}, '\\{escape}', chr({character}))"
        column = f"case when contains({column}, '\\') then replace({undone}, chr(0), '\\') else {column} end"
    elif decoding == Decoding.HEX.value:
        # COPY writes \\x and digits: three characters before the first digit.
        column = f"unhex(substr({column}, 4))"
    elif decoding == Decoding.ERA.value:
        # DuckDB has the era after the date, and passes over one that is last.
        before_christ = f"regexp_replace({column}, '^(\\S+)(.*) BC$', '\\1 (BC)\\2')"
        column = f"case when ends_with({column}, 'C') then {before_christ} else {column} end"
    return column if type == "varchar" else f"cast({column} as {type})"


def files_of(version: Version) -> list[str]:
    """The files of a version."""
    return [f"{version.location}/{name}" for name in json.loads(version.receipt.more["parts"])]


def columns_of(version: Version) -> Columns:
    """The columns of a version."""
    columns: Columns = json.loads(version.receipt.more["columns"])
    return columns


def gone_of(version: Version) -> dict[str, str]:
    """The columns of a version that its source had no more: name here to name there."""
    found: dict[str, str] = json.loads(version.receipt.more.get("gone", "{}"))
    return found


def shared_type(first: str, second: str) -> str:
    """The type of a column that had two, one after the other: the wider one, or else text."""
    if first == second:
        return first
    if first in WIDENING and second in WIDENING:
        return max(first, second, key=WIDENING.index)
    if {first, second} == {"real", "double"}:
        return "double"
    decimals = [re.fullmatch(r"decimal\((\d+),(\d+)\)", each) for each in (first, second)]
    if decimals[0] and decimals[1]:
        whole = max(int(each[1]) - int(each[2]) for each in decimals if each)
        scale = max(int(each[2]) for each in decimals if each)
        if whole + scale <= 38:
            return f"decimal({whole + scale},{scale})"
    return "varchar"


def view_types(schemas: Sequence[Columns]) -> dict[str, str]:
    """The type of each column of a view over versions with these columns."""
    found: dict[str, str] = {}
    for columns in schemas:
        for name, _, _, kind, _ in columns:
            found[name] = shared_type(found.get(name, kind), kind)
    return found


def select_typed(versions: Sequence[Version]) -> str:
    """Typed rows of versions of one table. Versions with the same columns are one scan; new columns are NULL before."""
    ordered = sorted(versions, key=lambda v: (v.receipt.more["columns"], v.slice.ds))
    alike = [(columns, list(group)) for columns, group in groupby(ordered, lambda v: v.receipt.more["columns"])]
    # The newest columns first: they say the order.
    alike.sort(key=lambda pair: max(version.id for version in pair[1]), reverse=True)
    types = view_types([json.loads(columns) for columns, _ in alike])
    return "\nunion all by name\n".join(_select_files(group, json.loads(columns), types) for columns, group in alike)


def _select_files(versions: Sequence[Version], columns: Columns, types: Mapping[str, str]) -> str:
    ds = f"regexp_extract({quoted(FILE)}, '/ds=([^/]*)/[^/]*$', 1) as ds" if _has_own_folders(versions) else "ds"
    return f"select {', '.join(_typed(columns, types))}, {ds} from {_scan(versions, columns)}"


def _has_own_folders(versions: Sequence[Version]) -> bool:
    """Whether a folder above the slices' own is called `name=value`: DuckDB would take each for a column's values."""
    return any("=" in version.location.rpartition("/")[0] for version in versions)


def _typed(columns: Columns, types: Mapping[str, str]) -> Iterator[str]:
    for name, _, _, _, decoding in columns:
        if types[name] == "varchar":
            # Of a column that was retyped too: as PostgreSQL printed it, not as this session would.
            escaped = decoding in (Decoding.TEXT.value, Decoding.HEX.value)
            value = decoded(name, "varchar", (Decoding.TEXT if escaped else Decoding.NONE).value)
        else:
            # From the text, of a column that was widened too: 0.1 of real is 0.1 of double, on every engine.
            value = decoded(name, types[name], decoding)
        yield f"{value} as {quoted(name)}"


def _scan(versions: Sequence[Version], columns: Columns) -> str:
    files = [file for version in versions for file in files_of(version)]
    longest = max(int(version.receipt.more["longest_line"]) for version in versions)
    options = "hive_partitioning = true, hive_types_autocast = false, hive_types = {'ds': varchar}"
    if _has_own_folders(versions):
        options = f"hive_partitioning = false, filename = {literal(FILE)}"
    return _read_csv(files, columns, longest, options)


def _exactly(file: str) -> str:
    """A file's name as a pattern that only it matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", file)


def _read_csv(files: Sequence[str], columns: Columns, longest: int, options: str) -> str:
    # DuckDB takes memory by the longest line, many times over for each thread: no more than is needed.
    longest = max(1 << 20, longest)
    raw = [*(column[0] for column in columns), *([PADDING] if len(columns) == 1 else [])]
    return (
        f"read_csv([{', '.join(literal(_exactly(file)) for file in files)}], "
        "delim = '\\t', quote = '', escape = '', nullstr = '\\N', header = true, auto_detect = false, "
        "new_line = '\\n', compression = 'zstd', max_line_size = "
        f"{longest}, buffer_size = {2 * longest}, {options}, "
        f"columns = {{{', '.join(literal(name) + ': varchar' for name in raw)}}})"
    )


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


class DuckDBEngine:
    """See `importers.engines.interface.Engine`; publishes in the warehouse's DuckDB file."""

    counts_files = True

    def __init__(self, file: Path, warehouse: str, keep: int = 3):
        self.file = file
        self.warehouse = warehouse
        self.keep = keep
        self.guard = threading.Lock()
        # Each count takes 20 MB and as much of a core as it gets, which the copying needs too.
        self.counters = threading.Semaphore(max(1, (os.cpu_count() or 1) // 4))

    def count(self, version: Version) -> int:
        """The rows that the engine reads of a staged version, every value cast. Raises Refused for one that fails."""
        columns = columns_of(version)
        with self._reader() as connection:
            try:
                return _count(connection, _scan([version], columns), columns)
            except duckdb.Error as error:
                raise self._culprit(connection, version, error) from None

    def count_file(self, file: str, columns: Columns, longest: int) -> int | None:
        """See `Engine.count_file`."""
        # One thread, as a file of zstd cannot be read by more.
        with self.counters, duckdb.connect(config={**READER, "threads": 1}) as connection:
            try:
                return _count(connection, _read_csv([file], columns, longest, "hive_partitioning = false"), columns)
            except duckdb.Error:
                return None

    def publish(self, version: Version) -> list[Version]:
        """Publish a version, its record and the views in one transaction. Gives the versions that are kept no more."""
        table = version.slice.table
        with self.guard, open_duckdb(self.file) as connection:
            read_s3(connection, self.warehouse)
            metastore = DuckDBMetastore(connection)
            connection.begin()
            try:
                metastore.publish(version)
                others = [each for each in metastore.versions(version.slice) if each.id != version.id]
                dropped = others[self.keep - 1 :]
                for each in dropped:
                    metastore.forget(each)
                self._make_views(connection, table, metastore)
                connection.commit()
            except duckdb.Error as error:
                connection.rollback()
                raise DaysliceError(f"{version.slice} was not published: {_first(error)}") from None
            except BaseException:
                connection.rollback()
                raise
        return dropped

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        """DuckDB without the warehouse's file: nobody waits meanwhile."""
        # Closed each time: its threads, left open, abort a process that is forked later.
        with duckdb.connect(config=READER) as connection:
            read_s3(connection, self.warehouse)
            yield connection

    def unpublish(self, versions: list[Version]) -> None:
        """Forget versions of one table, slices and all; its views are made anew in the same transaction."""
        with open_duckdb(self.file) as connection:
            read_s3(connection, self.warehouse)
            metastore = DuckDBMetastore(connection)
            connection.begin()
            try:
                for version in versions:
                    metastore.unpublish(version)
                    metastore.forget(version)
                self._make_views(connection, versions[0].slice.table, metastore)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def _make_views(self, connection: Any, table: Table, metastore: DuckDBMetastore) -> None:
        published = metastore.published(table)
        view = f"{quoted(table.schema)}.{quoted(table.name)}"
        connection.execute(f"create schema if not exists {quoted(table.schema)}")
        connection.execute(f"create or replace view {view} as {select_typed(list(published.values()))}")
        connection.execute(
            f"create or replace view {quoted(table.schema)}.{quoted(table.name + '_latest')} as "
            f"select * from {view} where ds = {literal(max(published))}"
        )

    def _culprit(self, connection: Any, version: Version, error: duckdb.Error) -> Refused:
        """Which column cannot be read, with one example of its landed text."""
        for name, _, declared, kind, decoding in columns_of(version):
            try:
                example = connection.execute(
                    f"select {quoted(name)} from {_scan([version], columns_of(version))} "
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
