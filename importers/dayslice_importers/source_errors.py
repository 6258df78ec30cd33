"""What PostgreSQL said, in one line that names the place and what to do, without a value of a row."""

import os
import re

import psycopg2
from psycopg2 import errors

from dayslice.errors import DaysliceError, Transient

SHOW_VALUES = "DAYSLICE_SHOW_VALUES"
# Data exceptions, violated constraints, foreign servers, routines and what functions raise quote values of rows.
QUOTING = ("22", "23", "2F", "38", "39", "HV", "P0")


class Lost(Transient):
    """The server went away in the middle: what was being read may be read again, in a new snapshot."""


def shows_values() -> bool:
    """Whether errors may hold values of the source's rows: `--show-values`, or the variable of that name."""
    return os.environ.get(SHOW_VALUES, "").lower() in ("1", "true", "yes")


def source_error(where: object, error: psycopg2.Error, is_replica: bool = False) -> DaysliceError:
    """An error of PostgreSQL's as one of ours."""
    said = said_by(error)
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


def said_by(error: psycopg2.Error) -> str:
    """What PostgreSQL said, without its details; only the kind of error where its sentence would quote a row."""
    if shows_values():
        return one_line(error)
    if (error.pgcode or "").startswith(QUOTING):
        return f"{_words(type(error).__name__)} ({error.pgcode}); --show-values shows what it said, values and all"
    return " ".join((error.diag.message_primary or str(error).split("\nDETAIL:")[0]).split())


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


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
