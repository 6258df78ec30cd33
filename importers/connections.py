"""Named PostgreSQL connections: secrets from the environment only, read-only sessions with time-outs."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from dayslice.errors import DaysliceError, UsageError

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
def connect(name: str, home: Path) -> Iterator[Any]:
    """A read-only session in one repeatable-read transaction: all that it reads is of one instant.

    Raises DaysliceError, in one line and without the password, if the server cannot be reached.
    """
    options = " ".join(f"-c {key}={value.replace(' ', chr(92) + ' ')}" for key, value in SESSION.items())
    try:
        connection = psycopg2.connect(dsn_of(name, home), options=options, connect_timeout=15)
    except psycopg2.OperationalError as error:
        raise DaysliceError(f"connection {name!r}: {' '.join(str(error).split())}") from None
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        yield connection
    finally:
        connection.close()
