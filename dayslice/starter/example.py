"""The example that a warehouse starts with where no source is named: a small shop in an embedded PostgreSQL."""

import importlib.resources
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from dayslice.rules.connections_file import add_connection
from dayslice.services import embedded_postgres

CONNECTION = "shop"
TABLE, ON = "orders", "ordered_on"
# Inside of what the shop has: 2024-01-01 to 2024-03-30.
DS = "2024-01-05"
READER = "reader"
FOLDER = "shop"


def make_shop(home: Path) -> None:
    """Make the shop's database under the home, if it is not there, and name it as a connection. It is running then."""
    directory = home / FOLDER
    # An interrupted initdb leaves a directory that looks finished: the mark is made when it is.
    made = home / f"{FOLDER}.made"
    if not made.exists():
        shutil.rmtree(directory, ignore_errors=True)
    connection: Any = psycopg2.connect(embedded_postgres.start(directory))
    made.touch()
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('orders') is null")
        if cursor.fetchone()[0]:
            files = importlib.resources.files("dayslice.starter").joinpath("files", "shop", "shop.sql")
            cursor.execute(files.read_text(encoding="utf-8"))
    add_connection(home, CONNECTION, f"embedded:{READER}@{FOLDER}")
