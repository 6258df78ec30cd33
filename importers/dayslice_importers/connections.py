"""Named PostgreSQL connections: secrets from the environment only, read-only sessions with time-outs."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import make_dsn

from dayslice.errors import DaysliceError, Transient, UsageError
from dayslice.rules.connections_file import embedded_server

# What a production database would want of a reader: it waits for no lock for long, and prints values in one way.
SESSION = {
    "application_name": "dayslice import",
    "default_transaction_read_only": "on",
    "lock_timeout": "10s",
    "statement_timeout": "6h",
    "idle_in_transaction_session_timeout": "6h",
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
    # A policy would leave rows out without a word; so PostgreSQL refuses the query instead.
    "row_security": "off",
}
# A server that is gone without a word is noticed after a minute and a half, not after two hours.
LINK: dict[str, Any] = {"connect_timeout": 15, "keepalives_idle": 30, "keepalives_interval": 15, "keepalives_count": 4}
# What a table's YAML may set otherwise.
TIMEOUTS = ("lock_timeout", "statement_timeout")
# pg_current_snapshot, which receipts hold, and scans of a range of blocks.
OLDEST_SERVER = 130000


class Lost(Transient):
    """The server went away in the middle: what was being read may be read again, in a new snapshot."""


def variable_of(name: str) -> str:
    """The environment variable that holds a connection: DAYSLICE_CONNECTION_ERP for `erp`."""
    return f"DAYSLICE_CONNECTION_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"


def is_in_environment(name: str) -> bool:
    """Whether a connection, or its replica, is given in the environment."""
    return bool(os.environ.get(replica_variable_of(name)) or os.environ.get(variable_of(name)))


def replica_variable_of(name: str) -> str:
    """The one that holds its replica, which is read instead where it is set."""
    return f"{variable_of(name)}_REPLICA"


def dsn_of(name: str, home: Path) -> str:
    """How to connect, for libpq. Raises UsageError for an unknown name, Transient for a server that does not run."""
    dsn = os.environ.get(replica_variable_of(name)) or os.environ.get(variable_of(name))
    if dsn:
        return dsn
    server = embedded_server(home, name)
    if server is None:
        raise UsageError(
            f"connection {name!r} is not known: set {variable_of(name)} to its URI "
            "(postgresql://reader@host/database; libpq finds the password in PGPASSWORD or ~/.pgpass)"
        )
    running = server.directory / "postmaster.pid"
    if not running.exists():
        raise Transient(f"connection {name!r}: the embedded PostgreSQL in {server.directory} does not run")
    # PostgreSQL's own file: its fifth line is the folder of the socket.
    return str(make_dsn(host=running.read_text().splitlines()[4], user=server.user, dbname="postgres"))


@contextmanager
def connect(name: str, home: Path, snapshot: str | None = None) -> Iterator[Any]:
    """A read-only session in one repeatable-read transaction: all that it reads is of one instant.

    `snapshot` is one that another session exported: both then read the same instant. Raises DaysliceError, in one
    line and without the password, if the server cannot be reached.
    """
    try:
        connection: Any = psycopg2.connect(dsn_of(name, home), **LINK)
    except psycopg2.OperationalError as error:
        raise Transient(f"connection {name!r}: {one_line(error)}") from None
    except psycopg2.ProgrammingError:  # its message shows the text, and so maybe the password
        variable = replica_variable_of(name) if os.environ.get(replica_variable_of(name)) else variable_of(name)
        raise UsageError(f"{variable} is neither a URI nor a connection string of libpq's") from None
    try:
        # Not as start-up options: poolers refuse those.
        connection.autocommit = True
        with connection.cursor() as cursor:
            for key, value in SESSION.items():
                cursor.execute("select set_config(%s, %s, false)", (key, value))
        if connection.server_version < OLDEST_SERVER:
            raise UsageError(
                f"connection {name!r} leads to PostgreSQL {connection.server_version // 10000}: imports need "
                f"{OLDEST_SERVER // 10000} or later"
            )
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        if snapshot is not None:
            with connection.cursor() as cursor:
                cursor.execute("set transaction snapshot %s", (snapshot,))
        yield connection
    finally:
        connection.close()


@contextmanager
def savepoint(session: Any) -> Iterator[None]:
    """What fails in here leaves the transaction, and so its snapshot, as it was, if the connection still stands."""
    with session.cursor() as cursor:
        cursor.execute("savepoint here")
    try:
        yield
    except BaseException:
        with contextlib.suppress(psycopg2.Error), session.cursor() as cursor:
            cursor.execute("rollback to savepoint here")
            cursor.execute("release savepoint here")
        raise
    with session.cursor() as cursor:
        cursor.execute("release savepoint here")


def timeouts_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """The time-outs of one table, as PostgreSQL's settings. Raises UsageError."""
    found: dict[str, str] = {}
    for name in TIMEOUTS:
        value = str(settings.get(name, SESSION[name]))
        if not re.fullmatch(r"\d+(ms|s|min|h|d)?", value):
            raise UsageError(f"{name}: {value!r} is no duration of PostgreSQL's: write 10s, 5min or 6h; 0 is none")
        found[name] = value
    return found


def set_timeouts(session: Any, settings: Mapping[str, Any]) -> None:
    """Set the time-outs of one table, until the transaction or the next call changes them. Raises UsageError."""
    for name, value in timeouts_of(settings).items():
        with session.cursor() as cursor:
            cursor.execute("select set_config(%s, %s, true)", (name, value))


def source_error(where: object, error: psycopg2.Error, is_replica: bool = False) -> DaysliceError:
    """What PostgreSQL said, in one line that names the place and what to do."""
    said = one_line(error)
    found: DaysliceError
    # A replica that ends a COPY closes the connection, and psycopg2 does not hand on why.
    if (isinstance(error, errors.SerializationFailure) and "recovery" in said) or (is_replica and is_lost(error)):
        found = Lost(
            f"{where}: the replica ended the query, most likely as replaying the primary's changes could not wait: "
            f"try again, or raise max_standby_streaming_delay or set hot_standby_feedback on the replica ({said})"
        )
    elif isinstance(error, errors.LockNotAvailable):
        found = Transient(
            f"{where}: somebody has held a lock on the source table (a migration?) for longer than `lock_timeout`: "
            f"try again ({said})"
        )
    elif isinstance(error, errors.QueryCanceled) and "statement timeout" in said:
        found = DaysliceError(
            f"{where}: the COPY took longer than `statement_timeout` allows: raise it in the YAML, or add `streams`"
        )
    elif is_lost(error):
        found = Lost(f"{where}: the connection to PostgreSQL was lost: {said}")
    elif isinstance(error, errors.CharacterNotInRepertoire | errors.UntranslatableCharacter):
        found = DaysliceError(
            f"{where}: a text of the source is in no encoding that PostgreSQL knows (a database in SQL_ASCII takes any "
            f"bytes): mend those rows, or leave the column or the rows out ({said})"
        )
    elif "row-level security" in said:
        found = DaysliceError(
            f"{where}: a row-level security policy would hide rows from the connection's user, and a slice that lacks "
            "them would look whole: give the user BYPASSRLS, or import a view of the rows that are meant "
            f"(source_table) ({said})"
        )
    elif isinstance(error, errors.QueryCanceled | errors.OperatorIntervention):
        found = Transient(f"{where}: the server ended the query: {said}")
    else:
        found = DaysliceError(f"{where}: PostgreSQL: {said}")
    return found


def is_lost(error: psycopg2.Error) -> bool:
    """Whether the server went away, rather than refused."""
    gone = errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow | psycopg2.InterfaceError
    if isinstance(error, gone):
        return True
    # In mid-copy psycopg2 gives a bare DatabaseError, without a code.
    return error.pgcode is None and (
        isinstance(error, psycopg2.OperationalError) or type(error) is psycopg2.DatabaseError
    )


def one_line(error: Exception) -> str:
    """An error's text without line breaks."""
    return " ".join(str(error).split())
