"""A PostgreSQL server of the operating system's packages, started for a test that needs what the wheel's has not."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn

USER = "postgres"


def bin_directory() -> Path | None:
    """Where initdb and postgres are; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return found[0].parent if found else Path(on_path).parent if on_path else None


def missing_for_system_server() -> str | None:
    """What a person has to install first, or None."""
    if bin_directory() is None:
        return "no PostgreSQL server is installed beside the wheel's (Debian: apt-get install postgresql)"
    return None


class SystemServer:
    """On a Unix socket in its own directory, with settings (`listen_addresses=127.0.0.1`). A context manager."""

    def __init__(self, directory: Path, *settings: str, port: int = 5432):
        self.directory = directory
        self.settings = ("listen_addresses=", "fsync=off", f"port={port}", *settings)
        self.port = port
        self.bin = bin_directory()
        self.process: subprocess.Popen[bytes] | None = None
        # Root may not run a server.
        self.user = USER if os.getuid() == 0 else None

    @property
    def dsn(self) -> str:
        """As its superuser."""
        return make_dsn(host=str(self.directory), port=self.port, user=USER, dbname="postgres")

    def __enter__(self) -> "SystemServer":
        assert self.bin is not None
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            for folder in self.directory.parents:
                if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
                    folder.chmod(0o755)
        subprocess.run(
            [self.bin / "initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N"],
            cwd=self.directory,
            user=self.user,
            check=True,
            capture_output=True,
        )
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self.bin is not None
        with (self.directory / "log").open("ab") as log:
            settings = [word for setting in self.settings for word in ("-c", setting)]
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", "data", "-k", str(self.directory), *settings],
                cwd=self.directory,
                user=self.user,
                stdout=log,
                stderr=log,
            )
        for _ in range(200):
            try:
                psycopg2.connect(self.dsn).close()
                return
            except psycopg2.OperationalError:
                time.sleep(0.1)
        raise AssertionError((self.directory / "log").read_text()[-2000:])

    def kill(self) -> None:
        """As a crash would: no goodbye to the clients."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def __exit__(self, *failure: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
