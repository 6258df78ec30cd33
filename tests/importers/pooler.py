"""PgBouncer in transaction mode in front of a test's server, of Debian's packages."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

NOBODY = "postgres"


def missing_for_pooler() -> str | None:
    """What a person has to install first, or None."""
    return (
        None
        if shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
        else ("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    )


class Pooler:
    """Hands out `size` sessions of the server at `dsn`. A context manager."""

    def __init__(self, directory: Path, dsn: str, size: int):
        self.directory = directory
        self.server = parse_dsn(dsn)
        self.size = size
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def dsn(self) -> str:
        """How to connect."""
        return make_dsn(host="127.0.0.1", port=self.port, user=self.server["user"], dbname=self.server["dbname"])

    def __enter__(self) -> "Pooler":
        self.directory.mkdir(parents=True)
        settings = self.directory / "pgbouncer.ini"
        (self.directory / "users").write_text(f'"{self.server["user"]}" ""\n"pooled" ""\n')
        settings.write_text(
            f"""[databases]
{self.server["dbname"]} = host={self.server["host"]} port={self.server.get("port", 5432)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {self.directory}/users
pool_mode = transaction
default_pool_size = {self.size}
logfile = {self.directory}/log
server_check_delay = 0
"""
        )
        # It does not run as root.
        for each in (self.directory, *self.directory.iterdir()):
            shutil.chown(each, NOBODY)
        for folder in self.directory.parents:
            if str(folder).startswith("/tmp/"):
                folder.chmod(0o755)
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
        assert program
        self.process = subprocess.Popen([program, "-u", NOBODY, settings], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                psycopg2.connect(self.dsn).close()
                return self
            except psycopg2.OperationalError:
                time.sleep(0.1)
        raise AssertionError((self.directory / "log").read_text()[-2000:])

    def __exit__(self, *failure: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
