"""A Trino that does not answer is one sentence: where it was looked for, why, and what to look at."""

from types import SimpleNamespace

import pytest

from dayslice.engines.trino_client import connect
from dayslice.errors import Transient


def credentials(scheme, host, port):
    asked = {"client_tags": [], "roles": {}, "http_headers": {}, "session_properties": {}, "timezone": None}
    place = {"host": host, "port": port, "http_scheme": SimpleNamespace(value=scheme), "database": "hive"}
    return SimpleNamespace(**asked, **place, schema="analytics", user="a", cert=None, trino_auth=lambda: None)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("scheme", "host", "reason"),
    [
        ("http", "127.0.0.1", "Connection refused"),
        ("https", "127.0.0.1", "Connection refused"),
        ("http", "nowhere.invalid", "Name or service not known"),
    ],
)
def test_a_trino_that_is_not_there(scheme, host, reason):
    with pytest.raises(Transient) as failed, connect(credentials(scheme, host, 9)) as connection:
        connection.cursor().execute("select 1")
    assert str(failed.value) == (
        f"Trino at {scheme}://{host}:9 does not answer ({reason}): is it up, and are host, port and http_scheme of "
        "profiles.yml right (DAYSLICE_TRINO_HOST, DAYSLICE_TRINO_PORT, DAYSLICE_TRINO_SCHEME)?"
    )
