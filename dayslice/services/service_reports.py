"""How commands show services: what starts as it starts, and what runs."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from dayslice.services.service import Service


@contextmanager
def steps(console: Console) -> Iterator[Callable[[str], None]]:
    """A function that shows what goes on now, with the seconds since the beginning."""
    began = time.monotonic()
    with console.status("starting") as shown:

        def progress(line: str) -> None:
            shown.update(line)
            console.print(f"  {time.monotonic() - began:4.0f} s  {line}")

        yield progress


def rows_of(services: Iterable[Service]) -> list[dict[str, Any]]:
    """A row a service, for `--json`. Memory is that of all its processes, in MB; what they share counts once."""
    rows = []
    for service in services:
        process = service.process()
        memory = sum(map(_memory, service.family()))
        rows.append(
            {
                "service": service.name,
                "running": process is not None,
                "port": service.port,
                "pid": process.pid if process else None,
                "memory_mb": round(memory / 1e6) if process else None,
                "log": str(service.log),
            }
        )
    return rows


def table_of(rows: Iterable[dict[str, Any]]) -> Table:
    """The same for people."""
    table = Table("service", "state", "port", "pid", "memory", box=None)
    for row in rows:
        state = "running" if row["running"] else "stopped"
        memory = f"{row['memory_mb']} MB" if row["running"] else ""
        table.add_row(row["service"], state, str(row["port"] or ""), str(row["pid"] or ""), memory)
    return table


def _memory(process: psutil.Process) -> int:
    """Bytes."""
    try:
        every = process.memory_full_info()
        return int(getattr(every, "pss", every.uss))
    except psutil.AccessDenied:  # another user's
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
