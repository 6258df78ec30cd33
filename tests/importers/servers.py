"""Servers that a test may kill and start again."""

import os
import signal
from pathlib import Path

from dayslice import embedded_postgres
from dayslice.demo.source import READER


class Mortal:
    """An embedded PostgreSQL under a warehouse's home, which the connection `source` leads to."""

    def __init__(self, home: Path):
        self.directory = home / "source"
        (home / "connections.yml").write_text("source: embedded:source\n")
        self.dsn = embedded_postgres.start(self.directory)

    def kill(self) -> None:
        """Its postmaster and, with it, every session, as a crash of the machine would."""
        os.kill(int((self.directory / "postmaster.pid").read_text().split("\n")[0]), signal.SIGQUIT)


PREPARE = f"create role {READER} login; grant pg_read_all_data to {READER}"
