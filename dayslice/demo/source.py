"""The demo's source database: an embedded PostgreSQL that is brought forward day by day, as a real one would be."""

import importlib.resources
import io
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2

from dayslice.demo import dataset
from dayslice.engines.file_lock import FileLock
from dayslice.errors import DaysliceError
from dayslice.services import embedded_postgres

READER = "reader"


class Source:
    """The database under `<home>/demo/postgres`, as its owner sees it; made when this context manager is first entered.

    One process at a time has it: it would be wrong to import a day while another brings the database forward.
    """

    def __init__(self, home: Path):
        self.directory = home / "demo" / "postgres"
        self.lock = FileLock(home / "demo" / "source")
        self.connection: Any = None

    def __enter__(self) -> "Source":
        self.lock.acquire()
        try:
            self._open()
        except BaseException:
            self.lock.release()
            raise
        return self

    def _open(self) -> None:
        # An interrupted initdb leaves a directory that looks finished: the mark is made when it is.
        made = self.directory.with_name("postgres.made")
        if not made.exists():
            shutil.rmtree(self.directory, ignore_errors=True)
        self.connection = psycopg2.connect(embedded_postgres.start(self.directory))
        made.touch()
        self.create()

    def create(self) -> None:
        """The tables, where they are not there yet, with what was in them before the first day."""
        with self._transaction() as cursor:
            cursor.execute("select to_regclass('flights') is null")
            if cursor.fetchone()[0]:
                _create(cursor)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.connection.close()
        self.lock.release()

    def newest(self) -> str | None:
        """The day at whose end the database stands, or None before the first."""
        with self._transaction() as cursor:
            return _newest(cursor)

    def advance(self, ds: str) -> int:
        """Bring the database to the end of a day, in one transaction; how many rows came. It never goes back."""
        with self._transaction() as cursor:
            newest = _newest(cursor) or ""
            rows = 0
            if ds <= newest:
                return rows
            for name, lines in (
                ("planes", dataset.planes()),
                ("weather", dataset.weather()),
                ("flights", dataset.flights()),
            ):
                rows += _copy(cursor, name, lines.columns, lines.between(newest, ds))
            return rows

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        try:
            with self.connection, self.connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            raise DaysliceError(
                f"the demo's source in {self.directory} failed, and is as it was before: "
                f"{' '.join(str(error).split())}. Run the demo again to go on"
            ) from None


def _create(cursor: Any) -> None:
    cursor.execute(importlib.resources.files("dayslice.demo").joinpath("schema.sql").read_text(encoding="utf-8"))
    for name, lines in (
        ("airlines", dataset.table("airlines")),
        ("airports", dataset.table("airports")),
        ("planes", dataset.planes()),
    ):
        _copy(cursor, name, lines.columns, lines.by_ds.get("", []))


def _newest(cursor: Any) -> str | None:
    cursor.execute("select max(flight_date)::text from flights")
    newest: str | None = cursor.fetchone()[0]
    return newest


def _copy(cursor: Any, name: str, columns: tuple[str, ...], lines: list[str]) -> int:
    if not lines:
        return 0
    with closing(io.StringIO("\n".join(lines))) as rows:
        cursor.copy_expert(f"copy {name} ({', '.join(columns)}) from stdin (format csv, null 'NA')", rows)
    copied: int = cursor.rowcount
    return copied
