"""Sessions that copy: one SELECT at a time, its rows in COPY's text format, to a writer.

The one that holds the snapshot is libpq's, and copies where one session is enough. Those that copy side by side are
asyncpg's, which gives rows in blocks: psycopg2 gives up Python's lock and takes it back for each row, so that two of
its threads wait for each other (two streams took 1.5 times as long, and 1.7 times the client's CPU). Where asyncpg
cannot connect (GSSAPI, a setting of libpq's that it has not), they are libpq's too. Where there is no second session to
be had (a limit of connections, a pooler with one, or one that leads to another server), nothing waits for it long.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar
from urllib.parse import urlencode

import psycopg2
from psycopg2 import errors

from dayslice.errors import Transient
from dayslice_importers.connections import LINK, SET_LOCAL, connect, savepoint, set_timeouts, timeouts_of

T = TypeVar("T")
# Of libpq's settings, those that asyncpg has under the same name and with the same meaning.
TLS = {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "ssl_min_protocol_version", "ssl_max_protocol_version"}
# Those that ask for more than asyncpg knows of.
OF_LIBPQ = {
    "channel_binding": ("prefer", "disable"),
    "gssencmode": ("prefer", "disable"),
    "hostaddr": (),
    "require_auth": (),
    "sslnegotiation": ("postgres",),
    "sslpassword": (),
}
# How long a second session may take to be there: a pooler may have none to give.
STREAM_SECONDS = 10.0
# And to lock what the first one has locked: somebody who waits for that one stands before it.
STREAM_LOCK = "1s"
KEEP_ALIVE = {
    "keepalives_idle": "TCP_KEEPIDLE",
    "keepalives_interval": "TCP_KEEPINTVL",
    "keepalives_count": "TCP_KEEPCNT",
}


class Session(Protocol):
    """Copies in a snapshot, and may be told to stop by another thread."""

    def lock(self, statements: Sequence[str]) -> None:
        """Take the locks of statements that read nothing, at once or not at all. Raises psycopg2.Error."""
        ...

    def copy(self, select: str, settings: Mapping[str, Any], out: BinaryIO) -> int:
        """Write the rows of a SELECT, whole rows in each write. Gives how many PostgreSQL reports.

        `settings` are the table's, for its time-outs. Raises psycopg2.Error; the session is then as it was before, if
        its connection still stands.
        """
        ...

    def cancel(self) -> None:
        """End what it copies."""
        ...


class LibpqSession:
    """See `Session`; on a connection of psycopg2's."""

    def __init__(self, connection: Any):
        self.connection = connection

    def lock(self, statements: Sequence[str]) -> None:
        """See `Session`."""
        with self.connection.cursor() as cursor:
            for each in (f"set local lock_timeout = '{STREAM_LOCK}'", *statements):
                cursor.execute(each)

    def copy(self, select: str, settings: Mapping[str, Any], out: BinaryIO) -> int:
        """See `Session`."""
        with savepoint(self.connection):
            set_timeouts(self.connection, settings)
            with self.connection.cursor() as cursor:
                cursor.copy_expert(f"copy ({select}) to stdout", out)
                return int(cursor.rowcount)

    def cancel(self) -> None:
        """See `Session`."""
        with contextlib.suppress(psycopg2.Error):
            self.connection.cancel()


class BlockSession:
    """See `Session`; on a connection of asyncpg's, in an event loop of the thread that made it."""

    def __init__(self, runner: asyncio.Runner, connection: Any):
        self.runner = runner
        self.connection = connection
        self.copying: asyncio.Task[str] | None = None

    def lock(self, statements: Sequence[str]) -> None:
        """See `Session`."""
        for each in (f"set local lock_timeout = '{STREAM_LOCK}'", *statements):
            self.runner.run(_said(self.connection.execute(each)))

    def copy(self, select: str, settings: Mapping[str, Any], out: BinaryIO) -> int:
        """See `Session`."""
        return int(self.runner.run(self._copy(select, timeouts_of(settings), out)).split()[-1])

    def cancel(self) -> None:
        """See `Session`."""
        if copying := self.copying:
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
                self.runner.get_loop().call_soon_threadsafe(copying.cancel)

    async def _copy(self, select: str, timeouts: Mapping[str, str], out: BinaryIO) -> str:
        async def take(rows: bytes) -> None:
            out.write(rows)

        async def copy() -> str:
            for name, value in timeouts.items():
                await self.connection.execute(f"set local {name} = '{value}'")
            return str(await self.connection.copy_from_query(select, output=take))

        await _said(self.connection.execute("savepoint here"))
        self.copying = asyncio.ensure_future(_said(copy()))
        try:
            return await self.copying
        except BaseException:
            with contextlib.suppress(psycopg2.Error):
                await _said(self.connection.execute("rollback to savepoint here"))
            raise
        finally:
            self.copying = None
            with contextlib.suppress(psycopg2.Error):
                await _said(self.connection.execute("release savepoint here"))


@contextmanager
def open_stream(name: str, home: Path, lead: Any, snapshot: str) -> Iterator[Session]:
    """One more session beside `lead`, on the snapshot that this exported. Raises DaysliceError or psycopg2.Error."""
    import asyncpg  # noqa: PLC0415 - only where a source is read in parallel
    import uvloop  # noqa: PLC0415

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            connection = None if _is_of_libpq(lead) else runner.run(asyncpg.connect(**_address(lead)))
        except TimeoutError:
            raise Transient("no second session was had in time") from None
        except (asyncpg.InterfaceError, asyncpg.InvalidAuthorizationSpecificationError, OSError, ValueError):
            connection = None
        except asyncpg.PostgresError as error:
            raise _as_psycopg2(error) from None
        if connection is not None:
            try:
                _keep_alive(connection)
                runner.run(_begin(connection, snapshot))
                yield BlockSession(runner, connection)
            finally:
                # At once: the transaction has read only, and a server that is gone would not answer.
                connection.terminate()
            return
    with connect(name, home, snapshot) as session:
        yield LibpqSession(session)


def _is_of_libpq(lead: Any) -> bool:
    """Whether the session was asked to connect in a way that asyncpg cannot."""
    found = lead.info.dsn_parameters
    return any(found.get(key) and found[key] not in known for key, known in OF_LIBPQ.items())


def _keep_alive(connection: Any) -> None:
    """Notice a server that is gone without a word, as sessions of libpq do: asyncpg has no setting for it."""
    link = connection._transport.get_extra_info("socket")
    if link.family == socket.AF_UNIX:
        return
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for setting, option in KEEP_ALIVE.items():
        if hasattr(socket, option):  # not on every system
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), LINK[setting])


async def _begin(connection: Any, snapshot: str) -> None:
    """As `connections.begin` does. Behind a pooler this waits until that has a server's session to give."""
    try:
        async with asyncio.timeout(STREAM_SECONDS):
            await _said(connection.execute("begin isolation level repeatable read read only"))
            await _said(connection.execute(f"set transaction snapshot '{snapshot}'"))
            await _said(connection.execute(SET_LOCAL))
    except TimeoutError:
        raise Transient("no second session was had in time") from None


def _address(lead: Any) -> dict[str, Any]:
    """Where a session of psycopg2's has got to, whatever told it so: URI, service file, ~/.pgpass or environment."""
    found = lead.info
    tls = {key: value for key, value in found.dsn_parameters.items() if key in TLS}
    return {
        "dsn": "postgresql://?" + urlencode(tls) if found.ssl_in_use else None,
        "ssl": None if found.ssl_in_use else False,
        "host": found.host,
        "port": found.port,
        "user": found.user,
        "password": found.password,
        "database": found.dbname,
        "timeout": STREAM_SECONDS,
        # Of the URI, the service file or PGOPTIONS: a search_path, say.
        "server_settings": {"options": found.options} if found.options else None,
        # Poolers hand a session's prepared statements to another.
        "statement_cache_size": 0,
    }


async def _said(call: Awaitable[T]) -> T:
    """A call of asyncpg's, its errors as psycopg2's, which the rest of the importers knows."""
    import asyncpg  # noqa: PLC0415

    try:
        return await call
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError) as error:
        raise psycopg2.OperationalError(str(error) or type(error).__name__) from None
    except asyncpg.PostgresError as error:
        raise _as_psycopg2(error) from None
    except asyncio.CancelledError:
        raise _coded("canceling statement due to user request", "57014") from None


def _as_psycopg2(error: Any) -> psycopg2.Error:
    return _coded(str(error), error.sqlstate)


def _coded(message: str, code: str) -> psycopg2.Error:
    try:
        error = errors.lookup(code)(message)
    except KeyError:
        error = psycopg2.DatabaseError(message)
    # The only way to say a code: what is pickled has it.
    error.__setstate__({"pgcode": code, "pgerror": message})  # type: ignore[no-untyped-call]
    return error
