"""Lets a DuckDB connection read s3://: the httpfs extension from its wheel, and boto3's own settings as its secret.

Nothing is downloaded, and the secret is in this process's memory only.
"""

import importlib.util
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dayslice.errors import DaysliceError, UsageError
from dayslice.store.s3 import path_style, s3_client

SECRET = "dayslice_s3"


def read_s3(connection: Any, warehouse: str) -> None:
    """Make `connection`, and its database's other ones, read the bucket of a warehouse. Nothing for a directory."""
    if not warehouse.startswith("s3://"):
        return
    connection.execute(f"load {_literal(str(extension_file()))}")
    settings = ", ".join(f"{name} {_literal(value)}" for name, value in secret_of(s3_client()).items())
    # Anew for each connection that is opened: a role's keys expire.
    connection.execute(f"create or replace temporary secret {SECRET} (type s3, {settings})")


def secret_of(client: Any) -> dict[str, str]:
    """Endpoint, region and keys of a boto3 client, as DuckDB's secret names them. Raises UsageError without keys."""
    import boto3  # noqa: PLC0415 - half a second, for those who use S3

    endpoint = urlsplit(client.meta.endpoint_url)
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise UsageError("there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
    keys = credentials.get_frozen_credentials()
    secret = {"key_id": keys.access_key, "secret": keys.secret_key, "region": client.meta.region_name or "us-east-1"}
    if keys.token:
        secret["session_token"] = keys.token
    if not (endpoint.hostname or "").endswith(".amazonaws.com"):
        path = path_style() or (endpoint.hostname or "").replace(".", "").isdigit() or endpoint.hostname == "localhost"
        secret |= {
            "endpoint": endpoint.netloc,
            "url_style": "path" if path else "vhost",
            "use_ssl": str(endpoint.scheme == "https").lower(),
        }
    return secret


def extension_file() -> Path:
    """The extension in its wheel."""
    found = importlib.util.find_spec("duckdb_extension_httpfs")
    places = list(found.submodule_search_locations or []) if found else []
    for place in places:
        for file in Path(place).rglob("httpfs.duckdb_extension"):
            return file
    raise DaysliceError("DuckDB's httpfs extension is not installed: run make env")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
