"""Each node has a DuckDB of its own, in memory; what its statements name is made visible in it as they are run.

Of its own, as nothing is left in it of a node before: see `dayslice.engines.idle`.
"""

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import DuckDBConnectionWrapper, LocalEnvironment
from dbt.adapters.exceptions import FailedToConnectError

from dayslice.engines.embedded import sweep_spills
from dayslice.engines.idle import Engine, lend
from dayslice.engines.landed_csv import quoted
from dayslice.engines.target import metastore_beside
from dayslice.errors import DaysliceError
from dayslice.metastore.begun import Begun
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.visible import Seen, Visible
from dayslice.rules.slices import Version
from dayslice.store.choice import open_store

_MAKES = re.compile(r"\b(create|into)\b", re.IGNORECASE)
STAGED = "_staged"
"""The schema of staged versions, in a node's own DuckDB."""


@dataclass(frozen=True)
class Stage:
    """A version that a node has begun: its note, and where its files go."""

    begun: Begun
    version: Version


@dataclass
class SliceDuckDBCredentials(DuckDBCredentials):
    """dbt-duckdb's, and where the slices' files lie. `path` is the readers' file, which no node opens."""

    warehouse: str = ""

    @property
    def type(self) -> str:
        """The profile's `type:`."""
        return "dayslice_duckdb"

    @property
    def home(self) -> Path:
        """Where everything local lies."""
        return self.readers_file.parent

    @property
    def readers_file(self) -> Path:
        """The DuckDB file that people open."""
        return Path(self.path).absolute()

    @property
    def metastore_file(self) -> Path:
        """What is published."""
        return metastore_beside(self.readers_file)

    @property
    def store_root(self) -> str:
        """The warehouse, as an absolute path or URL."""
        return self.warehouse if "://" in self.warehouse else str(Path(self.warehouse).absolute())


class OwnCursor:
    """A node's connection. Every statement goes through `Visible`, also those of dbt's own materializations."""

    def __init__(self, engine: Engine, visible: Visible):
        self.engine = engine
        self.connection = engine.session
        self.visible = visible
        self.has_made = False
        """Whether a statement was run that may have made a table."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, sql: str, bindings: Any = None) -> Any:
        """Run a statement."""
        self.engine.saw(sql)
        self.has_made = self.has_made or _MAKES.search(sql) is not None
        prepared = self.visible.prepare(sql)
        return self.connection.execute(prepared) if bindings is None else self.connection.execute(prepared, bindings)

    def rollback(self) -> Any:
        """Undo a transaction, and with it the views that were made in it."""
        self.visible.forget()
        return self.connection.rollback()


class OwnHandle(DuckDBConnectionWrapper):
    """What dbt calls a handle: one DuckDB, and one look at the metastore."""

    def __init__(self, credentials: SliceDuckDBCredentials, engines: int, seen: Seen):
        self.stages: dict[str, Stage] = {}
        self.written: set[str] = set()
        self.read_at = 0
        """The metastore's last change before the node began."""
        self.metastore = SQLiteMetastore(credentials.metastore_file)
        engine = lend(credentials.home, credentials.store_root, engines, credentials.settings)
        self._cursor = OwnCursor(engine, Visible(engine.session, self.metastore, seen))
        for schema in {*self.metastore.schemas(), credentials.schema, STAGED}:
            engine.session.execute(f"create schema if not exists {quoted(schema)}")

    @property
    def visible(self) -> Visible:
        """What this node sees."""
        return self._cursor.visible

    def close(self) -> None:
        """The node is done. What it staged and did not publish lies there until the next try, to be looked at.

        What it could not write whole is of no use, and on a full disk in the way of all others: it goes.
        """
        for identifier, stage in self.stages.items():
            if identifier in self.written:
                stage.begun.leave()
            else:
                open_store(stage.version.location.rpartition("/")[0]).remove("")
                stage.begun.end()
        self._cursor.engine.give_back()
        self.metastore.close()


class OwnEnvironment(LocalEnvironment):
    """dbt-duckdb's environment, which has no database to share."""

    def __init__(self, credentials: SliceDuckDBCredentials, engines: int):
        super().__init__(credentials)
        self.engines = engines
        sweep_spills(credentials.home)

    def handle(self, seen: Seen | None = None, engines: int | None = None) -> OwnHandle:
        """A DuckDB of its own for whoever asks, one of at most so many at once."""
        return OwnHandle(self.creds, engines or self.engines, seen or Seen())


class SliceDuckDBConnectionManager(DuckDBConnectionManager):
    """See the module."""

    TYPE = "dayslice_duckdb"
    _OPENING = threading.RLock()

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """A new DuckDB in memory."""
        if connection.state == ConnectionState.OPEN:
            return connection
        credentials: Any = connection.credentials
        try:
            with cls._OPENING:
                if not isinstance(cls._ENV, OwnEnvironment) or cls._ENV.creds != credentials:
                    cls._ENV = OwnEnvironment(credentials, cls.engines)
            seen = cls.seen.setdefault(credentials.metastore_file, Seen())
            connection.handle = cls._ENV.handle(seen, cls.beside.get(connection.name))
        except DaysliceError as error:
            connection.state = ConnectionState.FAIL
            raise FailedToConnectError(str(error)) from None
        connection.state = ConnectionState.OPEN
        return connection

    engines = 1
    """How many nodes may run at once."""
    beside: ClassVar[dict[str, int]] = {}
    """The same for a node of the running command, with itself, by its unique_id: see `at_once`."""
    seen: ClassVar[dict[Path, Seen]] = {}
    """What a command's nodes have seen of each metastore."""

    def __init__(self, config: Any, mp_context: Any):
        super().__init__(config, mp_context)
        type(self).engines = max(1, int(getattr(config, "threads", None) or 1))
        type(self).seen, type(self).beside = {}, {}
