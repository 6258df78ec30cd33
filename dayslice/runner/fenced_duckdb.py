"""Questions to DuckDB that can change nothing, and reach none of the machine's files but the warehouse's.

The readers' file is attached read-only to an instance in memory. A statement is one SELECT, as DuckDB's own parser sees
it, and calls no function that reads files; the instance opens nothing but the warehouse, and its settings are locked.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from dayslice.engines.answers import Answer
from dayslice.engines.embedded import DATABASE, QUIET, settings
from dayslice.engines.landed_csv import literal, quoted
from dayslice.engines.target import Target
from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore import readers_file
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.runner.narrowed import narrowed
from dayslice.services.superset.inside.dayslice_superset.statements import (
    OnlySelect,
    refuse_all_but_select,
    table_names,
)
from dayslice.store.duckdb_s3 import read_s3

T = TypeVar("T")
# What a person wrote wrong; all others are faults of files or of the machine.
_WRONG = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
_SCHEMAS = "select distinct lower(database_name), lower(schema_name) from duckdb_schemas()"
# Names that are every DuckDB's own.
_OWN = {"information_schema", "main", "memory", "pg_catalog", "system", "temp", DATABASE}
_EXPLAIN = re.compile(r"^\s*explain(\s+analyze)?\s+", re.IGNORECASE)
# No statement that is allowed names a file: it is one that a table was recorded in.
_OUTSIDE = re.compile(r'Cannot access file "([^"]+)"')
_UNREADABLE = (duckdb.IOException, duckdb.HTTPException, duckdb.InvalidInputException)
_OF_A_VERSION = re.compile(r"""['"]([^'"]+/v\d{20}_[0-9a-f]{6}/(?:columns/)?ds=[^'"/]+/[^'"/]+)['"]""")
_CARET = re.compile(r"\n\s*LINE \d+:.*", re.DOTALL)


class FencedDuckDB:
    """One instance, for one question after the other."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, target: Target):
        self.connection = connection
        self.target = target
        self.schemas = frozenset[str]().union(*connection.execute(_SCHEMAS).fetchall())
        self.also_check: Callable[[str], None] | None = None
        """Looks at each statement before it is run."""

    @contextmanager
    def ask(self, sql: str) -> Iterator[Answer]:
        """The answer to one SELECT. Raises UsageError for one that is wrong, or for anything else."""
        try:
            cursor = self.run(sql, self.connection.execute)
            columns = cursor.description or []
            yield Answer([each[0] for each in columns], [str(each[1]) for each in columns], cursor.fetchmany)
        except duckdb.Error as error:
            raise said(error) from None

    def run(self, sql: str, how: Callable[[str], T]) -> T:
        """Run a SELECT that is allowed, one way or another, reading the slices only that it asks for."""
        self.check(sql)
        if self.also_check is not None:
            self.also_check(_EXPLAIN.sub("", sql))
        narrow = self._narrowed(sql)
        if narrow == sql:
            return how(sql)
        try:
            return how(narrow)
        except duckdb.BinderException:
            return how(sql)  # it calls a table's column by more names than a part of the table has

    def _narrowed(self, sql: str) -> str:
        # Whoever may not open the metastore, which its readers write beside, reads by the views.
        try:
            opened = SQLiteMetastore(self.target.metastore_file, wait_seconds=1)
        except DaysliceError:
            return sql
        with opened as metastore:
            return narrowed(self.connection, metastore, sql, self.target.schema)

    def check(self, sql: str) -> None:
        """Refuse what is no SELECT of tables. In DuckDB any name that is no table's may be a file's: `part.parquet`."""
        refuse_all_but_select(self.connection, sql)
        for catalog, schema, name in table_names(self.connection, _EXPLAIN.sub("", sql)):
            if schema and schema.lower() not in self.schemas:
                raise UsageError(f"there is no schema {schema}; there are {', '.join(sorted(self.schemas - _OWN))}")
            if "/" in catalog + name or "." in name:
                raise UsageError(f"{name} is no table, and files are not read here")


@contextmanager
def fenced_duckdb(target: Target, zone: str) -> Iterator[FencedDuckDB]:
    """An instance for a short task."""
    fenced = open_fence(target, zone)
    try:
        yield fenced
    finally:
        fenced.connection.close()


def open_fence(target: Target, zone: str) -> FencedDuckDB:
    """An instance over what is published, in a time zone. Raises DaysliceError where nothing is."""
    file = target.database_file
    assert file is not None
    readers_file.catch_up(file, target.metastore_file, target.warehouse)
    if not file.exists():
        raise DaysliceError(f"nothing is published in {file.parent} yet: try dayslice demo, or dayslice import --help")
    own = {"autoinstall_known_extensions": False, "python_enable_replacements": False}
    connection = duckdb.connect(":memory:", config={**settings(target.home), **own})
    try:
        connection.execute(QUIET)
        connection.execute(f"attach {literal(str(file))} as {DATABASE} (read_only)")
        read_s3(connection, target.warehouse)
        use_schema(connection, target.schema)
        connection.execute(f"set TimeZone = {literal(zone)}")
        shut(connection, target.warehouse)
    except BaseException as error:
        connection.close()
        if isinstance(error, duckdb.Error):
            raise said(error) from None
        raise
    return FencedDuckDB(connection, target)


def use_schema(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Find the tables of a schema by their bare names, where there are any yet."""
    # No parameters: for those DuckDB imports pandas, wherever it is installed.
    there = connection.execute(
        f"select 1 from duckdb_schemas() where database_name = '{DATABASE}' and lower(schema_name) = "
        f"lower({literal(schema)})"
    ).fetchone()
    connection.execute(f"use {DATABASE}.{quoted(schema) if there else 'main'}")


def shut(connection: duckdb.DuckDBPyConnection, warehouse: str) -> None:
    """Close all of the machine but the warehouse, for good."""
    connection.execute(f"set allowed_directories = [{literal(warehouse.rstrip('/') + '/')}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def said(error: duckdb.Error) -> DaysliceError:
    """A sentence of it, without the statement that a person has just written."""
    words = " ".join(_CARET.sub("", str(error)).split())
    if isinstance(error, duckdb.PermissionException) and (file := _OUTSIDE.search(words)):
        return DaysliceError(
            f"{file[1]} is not in this warehouse: if it was moved here, or restored from elsewhere, dayslice adopt has "
            "it read from here"
        )
    if isinstance(error, OnlySelect):
        return UsageError(words)
    if isinstance(error, _UNREADABLE) and (file := _OF_A_VERSION.search(words)):
        return DaysliceError(
            f"DuckDB cannot read {file[1]}: it is damaged, gone, or out of reach ({words.partition(':')[0]}). dayslice "
            "verify lists what is damaged: make that slice again, or roll it back"
        )
    return UsageError(f"DuckDB: {words}") if isinstance(error, _WRONG) else DaysliceError(f"DuckDB: {words}")
