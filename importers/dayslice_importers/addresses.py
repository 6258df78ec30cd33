"""Where a named connection leads: its URI from the environment only, and no piece of it in any message."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Any

from psycopg2.extensions import make_dsn

from dayslice.errors import Transient, UsageError
from dayslice.rules.connections_file import embedded_server


def variable_of(name: str) -> str:
    """The environment variable that holds a connection: DAYSLICE_CONNECTION_ERP for `erp`."""
    return f"DAYSLICE_CONNECTION_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"


def replica_variable_of(name: str) -> str:
    """The one that holds its replica, which is read instead where it is set."""
    return f"{variable_of(name)}_REPLICA"


def is_in_environment(name: str) -> bool:
    """Whether a connection, or its replica, is given in the environment."""
    return bool(os.environ.get(replica_variable_of(name)) or os.environ.get(variable_of(name)))


def dsn_of(name: str, home: Path) -> str:
    """How to connect, for libpq. Raises UsageError for an unknown name, Transient for a server that does not run."""
    for variable in (replica_variable_of(name), variable_of(name)):
        if dsn := os.environ.get(variable):
            check_uri(dsn, variable)
            return dsn
    server = embedded_server(home, name)
    if server is None:
        raise UsageError(
            f"connection {name!r} is not known: set {variable_of(name)} to its URI "
            "(postgresql://reader@host/database?sslmode=verify-full; libpq finds the password in PGPASSWORD or "
            "~/.pgpass, and the authority that signed the server's certificate in ~/.postgresql/root.crt)"
        )
    running = server.directory / "postmaster.pid"
    if not running.exists():
        raise Transient(f"connection {name!r}: the embedded PostgreSQL in {server.directory} does not run")
    # PostgreSQL's own file: its fifth line is the folder of the socket.
    return str(make_dsn(host=running.read_text().splitlines()[4], user=server.user, dbname="postgres"))


def check_uri(dsn: str, variable: str) -> None:
    """Refuse a URI whose password would be taken for a host, a port or a database, and shown as such in an error."""
    scheme, separator, rest = dsn.partition("://")
    if not separator or scheme not in ("postgresql", "postgres"):
        return
    authority, _, behind = re.split(r"([/?#])", rest, maxsplit=1) if re.search(r"[/?#]", rest) else (rest, "", "")
    user = authority.rpartition("@")[0]
    before_query = behind if "=" not in behind else behind.partition("=")[0]
    if "@" in user or user.count(":") > 1 or (not user and "@" in before_query):
        raise UsageError(
            f"{variable}: a character of its password or user ends that part of a URI: write @ as %40, : as %3A, / as "
            "%2F, ? as %3F, # as %23 and % as %25, or leave the password to PGPASSWORD or ~/.pgpass"
        )


def unencrypted(name: str, link: Any) -> str | None:
    """A warning for a session of psycopg2's that leaves this machine without TLS; None for one that does not.

    `link` is its `info`.
    """
    host = link.dsn_parameters.get("hostaddr") or link.host or ""
    if link.ssl_in_use or not host or host.startswith(("/", "@")) or is_here(host):
        return None
    return (
        f"connection {name!r} to {host} is not encrypted: whoever is on the way reads passwords and rows; add "
        f"sslmode=verify-full to the URI in {variable_of(name)}"
    )


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
