"""A connection to Trino for SQL outside dbt, with the login of the profile."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trino

from dayslice.engines.trino_stopping import Running, cancel_at_sigterm, watch_sigterm
from dayslice.errors import DaysliceError, Transient


@contextmanager
def connect(credentials: Any) -> Iterator[Any]:
    """A Trino connection by a target's credentials. Raises Transient if it does not answer, else DaysliceError.

    What runs on it is cancelled where the process is told to end, by Ctrl-C or SIGTERM: Trino would go on for minutes.
    """
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=credentials.host,
        port=credentials.port,
        user=getattr(credentials, "impersonation_user", None) or credentials.user,
        client_tags=credentials.client_tags,
        roles=credentials.roles,
        catalog=credentials.database,
        schema=credentials.schema,
        http_scheme=getattr(credentials.http_scheme, "value", credentials.http_scheme),
        http_headers=credentials.http_headers,
        session_properties=credentials.session_properties,
        auth=credentials.trino_auth(),
        source="dayslice",
        # Unlike dbt-trino's, ours always looks at the server's certificate, unless the profile says `cert: false`.
        verify=True if credentials.cert is None else credentials.cert,
        timezone=credentials.timezone,
    )
    running = Running(connection)
    watch_sigterm()
    cancel_at_sigterm(running)
    try:
        yield connection
    except trino.exceptions.TrinoConnectionError as error:
        raise Transient(no_answer(credentials, error)) from None
    except trino.exceptions.TrinoQueryError as error:
        raise DaysliceError(f"Trino: {error.message}") from None
    except BaseException:
        running.cancel()
        raise
    finally:
        connection.close()


def no_answer(credentials: Any, error: Exception) -> str:
    """What to say of a Trino that does not answer: where it was looked for, why it failed, and what to look at."""
    found = re.search(r"\[Errno -?\d+\] ([^\"')]+)", str(error)) or re.search(r"\[SSL: \w+\] ([^\"'(]+)", str(error))
    reason = found[1].strip() if found else str(error)
    scheme = getattr(credentials.http_scheme, "value", credentials.http_scheme)
    return (
        f"Trino at {scheme}://{credentials.host}:{credentials.port} does not answer ({reason}): is it up, and are "
        "host, port and http_scheme of profiles.yml right (DAYSLICE_TRINO_HOST, DAYSLICE_TRINO_PORT, "
        "DAYSLICE_TRINO_SCHEME)?"
    )
