"""A connection to Trino for SQL outside dbt, with the login of the profile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trino

from dayslice.errors import DaysliceError, Transient


@contextmanager
def connect(credentials: Any) -> Iterator[Any]:
    """A Trino connection by a target's credentials. Raises Transient if it does not answer, else DaysliceError."""
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=credentials.host,
        port=credentials.port,
        user=getattr(credentials, "impersonation_user", None) or credentials.user,
        client_tags=credentials.client_tags,
        roles=credentials.roles,
        catalog=credentials.database,
        schema=credentials.schema,
        http_scheme=credentials.http_scheme.value,
        http_headers=credentials.http_headers,
        session_properties=credentials.session_properties,
        auth=credentials.trino_auth(),
        source="dayslice",
        # Unlike dbt-trino's, ours always looks at the server's certificate, unless the profile says `cert: false`.
        verify=True if credentials.cert is None else credentials.cert,
        timezone=credentials.timezone,
    )
    try:
        yield connection
    except trino.exceptions.TrinoConnectionError as error:
        raise Transient(f"Trino at {credentials.host}:{credentials.port} does not answer: {error}") from None
    except trino.exceptions.TrinoQueryError as error:
        raise DaysliceError(f"Trino: {error.message}") from None
    finally:
        connection.close()
