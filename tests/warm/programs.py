"""`dayslice` and `dbt` as programs that start warm: by their path, or on a PATH for a shell."""

import atexit
import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

PROGRAMS = ("dayslice", "dbt")
HERE = Path(__file__).parent


def program(name: str) -> str:
    """The path of one of them."""
    return str(folder_of_programs() / name)


def path_with_programs() -> str:
    """A PATH on which they stand before this environment's other programs."""
    return os.pathsep.join([str(folder_of_programs()), str(Path(sys.executable).parent), os.environ["PATH"]])


@cache
def folder_of_programs() -> Path:
    """Where they are. Their server starts when they are first asked for, and ends with this process."""
    folder = Path(mkdtemp(prefix="dayslice-warm-"))
    folder.chmod(0o755)
    command = [sys.executable, str(HERE / "server.py"), str(folder / "socket")]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DAYSLICE_", "DBT_", "AIRFLOW_"))}
    server = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(stop, server, folder)
    assert server.stdout.readline() == b"ready\n", "standard error says why"
    for name in PROGRAMS:
        client = [sys.executable, "-IS", str(HERE / "client.py"), str(folder / "socket"), name]
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(client)} "$@"\n')
        script.chmod(0o755)
    return folder


def stop(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    server.stdin.close()
    server.wait(30)
    shutil.rmtree(folder, ignore_errors=True)
