"""The local engine: typed views over the published files, made anew in the transaction that publishes one more."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from dayslice.duckdb_file import open_duckdb
from dayslice.duckdb_metastore import DuckDBMetastore
from dayslice.errors import Refused
from dayslice.slices import Table, Version
from dayslice.store.duckdb_s3 import read_s3
from importers.landing import PADDING
from importers.types.carried import Decoding

# A view of no rows still needs its columns; this is how a version's receipt gives them.
Columns = Sequence[Sequence[str]]


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
    return column if type == "varchar" else f"cast({column} as {type})"


def files_of(version: Version) -> list[str]:
    """The files of a version."""
    return [f"{version.location}/{name}" for name in json.loads(version.receipt.more["parts"])]


def columns_of(version: Version) -> Columns:
    """The columns of a version: name, source name, source type, type, decoding."""
    columns: Columns = json.loads(version.receipt.more["columns"])
    return columns


def select_typed(versions: Sequence[Version]) -> str:
    """Typed rows of versions of one table. Versions with the same columns are one scan; new columns are NULL before."""
    alike = groupby(
        sorted(versions, key=lambda v: (v.receipt.more["columns"], v.slice.ds)), lambda v: v.receipt.more["columns"]
    )
    selects = [_select_files(list(group), json.loads(columns)) for columns, group in alike]
    return "\nunion all by name\n".join(selects)


def _select_files(versions: list[Version], columns: Columns) -> str:
    files = [file for version in versions for file in files_of(version)]
    # DuckDB takes memory by the longest line, for each file it reads: no more than is needed.
    longest = max(2 << 20, *(int(version.receipt.more["longest_line"]) for version in versions))
    raw = [*(column[0] for column in columns), *([PADDING] if len(columns) == 1 else [])]
    typed = [f"{decoded(name, type, decoding)} as {quoted(name)}" for name, _, _, type, decoding in columns]
    return (
        f"select {', '.join(typed)}, ds from read_csv([{', '.join(map(literal, files))}], "
        "delim = '\\t', quote = '', escape = '', nullstr = '\\N', header = true, auto_detect = false, "
        "new_line = '\\n', compression = 'zstd', max_line_size = "
        f"{longest}, hive_partitioning = true, "
        "hive_types_autocast = false, hive_types = {'ds': varchar}, "
        f"columns = {{{', '.join(literal(name) + ': varchar' for name in raw)}}})"
    )


class DuckDBEngine:
    """Counts and publishes versions of imports in the warehouse's DuckDB file."""

    def __init__(self, file: Path, warehouse: str, keep: int = 3):
        self.file = file
        self.warehouse = warehouse
        self.keep = keep

    def count(self, version: Version) -> int:
        """The rows that the engine reads of a staged version, every value cast. Raises Refused for one that fails."""
        columns = columns_of(version)
        values = ", ".join(f"count({quoted(column[0])})" for column in columns)
        with duckdb.connect() as connection:
            read_s3(connection, self.warehouse)
            try:
                found = connection.execute(f"select count(*), {values} from ({select_typed([version])})").fetchone()
            except duckdb.Error as error:
                raise Refused(
                    f"{version.slice}: {self._culprit(connection, version, columns)}: {_first(error)}"
                ) from None
        return int(found[0]) if found else 0

    def publish(self, version: Version) -> list[Version]:
        """Publish a version, its record and the views in one transaction. Gives the versions that are kept no more."""
        table = version.slice.table
        with open_duckdb(self.file) as connection:
            read_s3(connection, self.warehouse)
            metastore = DuckDBMetastore(connection)
            connection.begin()
            try:
                metastore.publish(version)
                dropped = metastore.versions(version.slice)[self.keep :]
                for each in dropped:
                    metastore.forget(each)
                self._make_views(connection, table, metastore)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return dropped

    def _make_views(self, connection: Any, table: Table, metastore: DuckDBMetastore) -> None:
        published = metastore.published(table)
        view = f"{quoted(table.schema)}.{quoted(table.name)}"
        connection.execute(f"create schema if not exists {quoted(table.schema)}")
        connection.execute(f"create or replace view {view} as {select_typed(list(published.values()))}")
        connection.execute(
            f"create or replace view {quoted(table.schema)}.{quoted(table.name + '_latest')} as "
            f"select * from {view} where ds = {literal(max(published))}"
        )

    def _culprit(self, connection: Any, version: Version, columns: Columns) -> str:
        """Which column cannot be read, with one example of its landed text."""
        for column in columns:
            name, _, declared, type, decoding = column
            raw = select_typed([version]).replace(f"{decoded(name, type, decoding)} as", f"{quoted(name)} as")
            test = decoded(name, type, decoding).replace("cast(", "try_cast(", 1)
            try:
                example = connection.execute(
                    f"select {quoted(name)} from ({raw}) where {quoted(name)} is not null and {test} is null limit 1"
                ).fetchone()
            except duckdb.Error:
                continue
            if example:
                return f"column {name} ({declared}) has {example[0]!r}, which is no {type}"
        return "a value cannot be read"


def _first(error: Exception) -> str:
    return str(error).split("\n")[0]
