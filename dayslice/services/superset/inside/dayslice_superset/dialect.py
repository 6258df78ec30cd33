"""SQLAlchemy's dialect `duckdb+dayslice`: the readers' file, and nothing else of this machine.

A query is one SELECT, as DuckDB's own parser sees it. It reads the files of published slices that the readers' file
names, and it ends after `query_seconds`. A query of a newer publication sees the newer file; one that runs keeps the
file that it began with.
"""

import threading
from pathlib import Path
from typing import Any

import duckdb
from duckdb_engine import ConnectionWrapper, CursorWrapper
from duckdb_engine import Dialect as DuckDBDialect
from sqlalchemy import text
from sqlalchemy.engine.url import URL

from dayslice_superset import statements
from dayslice_superset.readers import Readers


class StoppedByLimit(duckdb.Error):
    """A query ran for longer than it may."""


class SliceCursor(CursorWrapper):
    """A cursor that takes nothing but one SELECT, and stops it after a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, wrapper: "SliceConnection"):
        super().__init__(connection, wrapper)
        self.raw = connection
        self.seconds = wrapper.seconds
        self._description: Any = None

    @property
    def description(self) -> Any:
        """The columns of the answer. Kept, as DuckDB forgets them when all rows are fetched."""
        return self._description if self._description is not None else self.raw.description

    @description.setter
    def description(self, value: Any) -> None:
        self._description = value

    def execute(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        """Run one SELECT; anything else is refused before it begins."""
        self._description = None
        statements.refuse_all_but_select(self.raw, statement)
        self._limited(super().execute, statement, parameters, context)

    def executemany(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        """Nothing that is run many times is a look."""
        raise statements.OnlySelect("only one SELECT at a time is allowed here")

    def fetchall(self) -> Any:
        """All rows; they are computed as they are fetched, so the limit holds here too."""
        return self._limited(self.raw.fetchall)

    def fetchmany(self, size: int | None = None) -> Any:
        """Some rows."""
        return self._limited(super().fetchmany, size)

    def fetchone(self) -> Any:
        """One row."""
        return self._limited(self.raw.fetchone)

    def _limited(self, call: Any, *arguments: Any) -> Any:
        timer = threading.Timer(self.seconds, self.raw.interrupt)
        timer.start()
        try:
            return call(*arguments)
        except duckdb.InterruptException:
            raise StoppedByLimit(
                f"the query was stopped after {self.seconds:.0f} s: read fewer slices (ds = …), or fewer columns"
            ) from None
        finally:
            timer.cancel()


class SliceConnection(ConnectionWrapper):
    """A connection whose cursors are `SliceCursor`s."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float):
        super().__init__(connection)
        self.raw = connection
        self.seconds = seconds

    def cursor(self) -> SliceCursor:
        """A cursor on this connection."""
        return SliceCursor(self.raw, self)


class SliceDialect(DuckDBDialect):
    """`duckdb+dayslice:////home/dayslice.duckdb?memory=1GB&seconds=60&slices=/home/superset/slices.db`."""

    driver = "dayslice"
    supports_statement_cache = False

    def create_connect_args(self, url: URL) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The readers' file and its limits, of the URL."""
        return (), {"readers": url.database or "", **url.query}

    def get_schema_names(self, connection: Any, **options: Any) -> list[str]:
        """The published schemas; DuckDB's own, and the attached file that they come from, are left out."""
        found = connection.execute(
            text(
                "select schema_name from duckdb_schemas() where database_name = 'memory' and schema_name <> 'main' "
                "and not internal order by 1"
            )
        )
        return [name for (name,) in found]

    def connect(self, *arguments: Any, **options: Any) -> SliceConnection:
        """A connection to what the readers' file is now."""
        readers = Readers.of(Path(options["readers"]) if options["readers"] else None, options)
        return SliceConnection(readers.connect(), float(options.get("seconds", 60)))
