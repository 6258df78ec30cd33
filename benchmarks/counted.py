"""One command of Dayslice, with how often it called the metastore: `python -m benchmarks.counted FILE status …`.

A call is a statement of SQLite, or a call of Thrift; their number is written to the file, and the peak of this
process's memory in KiB. `waits`, `readers` and `dags` are no commands: what a triggerer does in one look for all
tables, the file that people open, made from nothing, and Airflow's reading of a DAG file.
"""

import atexit
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dayslice import cli
from dayslice.metastore.choice import place_of, show_readers
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.orchestration.dag_index import IndexedWait
from dayslice.runner.judging import awaited_by
from dayslice.runner.project import load_project

COUNTED = {"calls": 0}


def count(*_: Any) -> None:
    COUNTED["calls"] += 1


def count_statements() -> None:
    """Of SQLite's metastore."""
    connect = SQLiteMetastore._connect

    def counting(self: SQLiteMetastore, *given: Any, **named: Any) -> Any:
        made = connect(self, *given, **named)
        made.set_trace_callback(count)
        return made

    SQLiteMetastore._connect = counting  # type: ignore[method-assign]


def count_thrift() -> None:
    """Of Hive's: each call is sent once."""
    from pymetastore.hive_metastore.ThriftHiveMetastore import Client  # noqa: PLC0415 - large, for those who use it

    for name in [each for each in dir(Client) if each.startswith("send_")]:
        setattr(Client, name, _counting(getattr(Client, name)))


def _counting(send: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*given: Any, **named: Any) -> Any:
        count()
        return send(*given, **named)

    return counting


def peak() -> str:
    """As wait4 counts it, a process has what the one that started it had already."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return found[1] if found else "0"


def waits(ds: str) -> None:
    """All tables wait for a ds: one look, and what each of them still waits for."""
    from dayslice_airflow.triggers import look, missing_of, tables_of  # noqa: PLC0415 - Airflow takes a second to import

    project = load_project()
    awaited = [[IndexedWait.of(each).awaited() for each in awaited_by(project, node)] for node in project.models]
    standing = look(place_of(project.target), {table for each in awaited for table in tables_of(each)})
    waiting = sum(bool(missing_of(each, ds, standing, project.time_zone)) for each in awaited)
    print(f"{waiting} of {len(awaited)} wait")


def main() -> None:
    file, command, *rest = sys.argv[1:]
    atexit.register(lambda: Path(file).write_text(f"{COUNTED['calls']} {peak()}"))
    count_statements()
    if rest and rest[-1] == "--thrift":
        rest.pop()
        count_thrift()
    if command == "waits":
        waits(*rest)
    elif command == "dags":
        runpy.run_path(rest[0])
    elif command == "readers":
        show_readers(load_project().target)
    else:
        sys.argv = ["dayslice", command, *rest]
        cli.main()


if __name__ == "__main__":
    main()
