"""Sessions of named PostgreSQL connections: one read-only transaction each, with time-outs.

All that a session sets, it sets for its transaction: behind a pooler in transaction mode whatever comes before or after
it is another backend's, and what is set for longer is left to other clients (pgbouncer/pgbouncer#224).
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from dayslice.errors import Transient, UsageError
from dayslice_importers.addresses import dsn_of, replica_variable_of, unencrypted, variable_of
from dayslice_importers.source_errors import one_line, source_error

# What a production database would want of a reader: it waits for no lock for long, and prints values in one way.
SESSION = {
    "application_name": "dayslice import",
    "lock_timeout": "10s",
    "statement_timeout": "6h",
    "idle_in_transaction_session_timeout": "6h",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
    # A policy would leave rows out without a word; so PostgreSQL refuses the query instead.
    "row_security": "off",
}
SET_LOCAL = "; ".join(f"set local {key} = '{value}'" for key, value in SESSION.items())
# A server that is gone without a word is noticed after a minute and a half, not after two hours.
LINK: dict[str, Any] = {"connect_timeout": 15, "keepalives_idle": 30, "keepalives_interval": 15, "keepalives_count": 4}
# What a table's YAML may set otherwise.
TIMEOUTS = ("lock_timeout", "statement_timeout")
# pg_current_snapshot, which receipts hold, and scans of a range of blocks.
OLDEST_SERVER = 130000
WARNED: set[str] = set()


@contextmanager
def connect(name: str, home: Path, snapshot: str | None = None) -> Iterator[Any]:
    """A session in one read-only, repeatable-read transaction: all that it reads is of one instant.

    `snapshot` is one that another session exported: both then read the same instant. Raises DaysliceError, in one
    line and without the password, if the server cannot be reached.
    """
    dsn = dsn_of(name, home)
    try:
        # Names come as UTF-8 from the first one on; every pooler takes this one at the start.
        connection: Any = psycopg2.connect(dsn, client_encoding="UTF8", **LINK)
    except psycopg2.OperationalError as error:
        raise Transient(f"connection {name!r}: {one_line(error)}") from None
    except psycopg2.ProgrammingError:  # its message shows the text, and so maybe the password
        variable = replica_variable_of(name) if os.environ.get(replica_variable_of(name)) else variable_of(name)
        raise UsageError(f"{variable} is neither a URI nor a connection string of libpq's") from None
    try:
        if connection.server_version < OLDEST_SERVER:
            raise UsageError(
                f"connection {name!r} leads to PostgreSQL {connection.server_version // 10000}: imports need "
                f"{OLDEST_SERVER // 10000} or later"
            )
        _warn(name, connection)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        try:
            begin(connection, snapshot)
        except psycopg2.Error as error:
            raise source_error(f"connection {name!r}", error) from None
        yield connection
    finally:
        connection.close()


def begin(connection: Any, snapshot: str | None = None) -> None:
    """Begin the session's transaction, with its settings. No snapshot is taken before the first query."""
    with connection.cursor() as cursor:
        if snapshot is not None:
            cursor.execute("set transaction snapshot %s", (snapshot,))
        cursor.execute(SET_LOCAL)


def _warn(name: str, connection: Any) -> None:
    """Once a process, on standard error."""
    if name not in WARNED and (warning := unencrypted(name, connection.info)):
        WARNED.add(name)
        print(f"warning: {warning}", file=sys.stderr)


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
    with session.cursor() as cursor:
        cursor.execute("; ".join(f"set local {name} = '{value}'" for name, value in timeouts_of(settings).items()))
