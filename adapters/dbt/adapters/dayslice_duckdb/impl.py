"""A thin subclass of dbt-duckdb: processes wait for each other, and macros can ask the metastore."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.dayslice.adapter import SliceAdapter
from dbt.adapters.dayslice.relation import ReadsRows
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.impl import DuckDBAdapter
from dbt.adapters.duckdb.relation import DuckDBRelation

from dayslice.engines.duckdb_file import FileLock
from dayslice.metastore.duckdb import DDL, DuckDBMetastore
from dayslice.metastore.interface import Metastore
from dayslice.store.duckdb_s3 import read_s3


@dataclass
class SliceDuckDBCredentials(DuckDBCredentials):
    """dbt-duckdb's, and where the files of imports lie."""

    warehouse: str = ""

    @property
    def type(self) -> str:
        """The profile's `type:`."""
        return "dayslice_duckdb"


class SliceDuckDBConnectionManager(DuckDBConnectionManager):
    """Holds the warehouse's lock while the file is open, so that two runs wait instead of failing."""

    TYPE = "dayslice_duckdb"
    lock: FileLock | None = None

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Wait for the file, then open it as dbt-duckdb does."""
        if connection.state == ConnectionState.OPEN:
            return connection
        with cls._LOCK:
            if cls.lock is None:
                lock = FileLock(Path(connection.credentials.path))
                lock.acquire()
                cls.lock = lock
                opened = super().open(connection)
                cursor = opened.handle.cursor()
                cursor.execute(DDL)
                read_s3(cursor, connection.credentials.warehouse)
                return opened
        return super().open(connection)

    @classmethod
    def close_all_connections(cls) -> None:
        """Close the file, and let the next process have it."""
        with cls._LOCK:
            if cls._ENV is not None:
                cls._ENV.close()
                cls._ENV = None
            if cls.lock is not None:
                cls.lock.release()
                cls.lock = None


@dataclass(frozen=True, eq=False, repr=False)
class SliceDuckDBRelation(ReadsRows, DuckDBRelation):
    """dbt-duckdb's, or the rows of some slices of it."""

    rows_where: str | None = None


# dbt finds the adapter's module by the class's name in lower case, less "Adapter": hence the underscore.
class Dayslice_DuckDBAdapter(SliceAdapter, DuckDBAdapter):
    """See the module."""

    ConnectionManager = SliceDuckDBConnectionManager
    Relation = SliceDuckDBRelation

    @contextmanager
    def slice_metastore(self) -> Iterator[Metastore]:
        """In the calling thread's transaction, so that a slice and its record change together."""
        cursor: Any = self.connections.get_thread_connection().handle.cursor()
        yield DuckDBMetastore(cursor, read_only=True)

    @available
    def begin_publication(self) -> None:
        """Begin the transaction in which a slice is replaced; `adapter.commit()` ends it, an error rolls it back."""
        self.end_transaction()
        self.connections.begin()

    @available
    def end_transaction(self) -> None:
        """Commit what dbt's own look-ups began, so that what comes next stands by itself."""
        if self.connections.get_thread_connection().transaction_open:
            self.connections.commit()

    @available
    def staged_tables(self, prefix: str) -> list[str]:
        """What an earlier run left of a slice's stage. No other process has the file open, so nobody is at it."""
        cursor: Any = self.connections.get_thread_connection().handle.cursor()
        cursor.execute(
            "select table_name from duckdb_tables() where schema_name = '_staged' and starts_with(table_name, ?)",
            [prefix],
        )
        return [name for (name,) in cursor.fetchall()]

    def cleanup_connections(self) -> None:
        """At the end of a dbt command."""
        super().cleanup_connections()
        self.ConnectionManager.close_all_connections()
