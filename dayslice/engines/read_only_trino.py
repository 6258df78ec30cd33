"""Questions to Trino that can change nothing: each in a transaction that the server itself keeps read-only."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import trino

from dayslice.engines.answers import Answer
from dayslice.engines.trino_client import connect
from dayslice.errors import DaysliceError, UsageError

_NONE = "NONE"
_BEGIN = "start transaction read only"


class ReadOnlyTrino:
    """One connection, for one question after the other."""

    def __init__(self, connection: Any):
        self._connection = connection

    @contextmanager
    def ask(self, sql: str) -> Iterator[Answer]:
        """The answer to one statement. Raises UsageError for one that is wrong, or that would write."""
        statement = sql.strip().rstrip(";")
        session = self._connection._client_session
        session.transaction_id = self._begin()
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            columns = cursor.description or []
            yield Answer([each[0] for each in columns], [str(each[1]) for each in columns], cursor.fetchmany)
        except trino.exceptions.TrinoUserError as error:
            if error.error_name == "READ_ONLY_VIOLATION":
                raise UsageError(
                    "only looks are allowed here, and this would write: data is written by builds"
                ) from None
            raise UsageError(f"Trino: {' '.join(str(error.message).split())}") from None
        finally:
            with suppress(trino.exceptions.Error):
                cursor.cancel()
            with suppress(trino.exceptions.Error, DaysliceError):
                self._connection.cursor().execute("rollback").fetchall()
            session.transaction_id = _NONE

    def _begin(self) -> str:
        """The id of a new transaction. trino's own Transaction knows only such as may write."""
        request = self._connection._create_request()
        response = request.post(_BEGIN)
        while True:
            status = request.process(response)
            if started := response.headers.get(trino.constants.HEADER_STARTED_TRANSACTION):
                return str(started)
            if not status.next_uri:
                raise DaysliceError("Trino began no transaction: look at its log")
            response = request.get(status.next_uri)


@contextmanager
def read_only_trino(credentials: Any) -> Iterator[ReadOnlyTrino]:
    """A connection by a target's credentials."""
    with connect(credentials) as connection:
        yield ReadOnlyTrino(connection)
