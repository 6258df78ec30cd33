"""SIGTERM, by which Airflow and systems end a task, ends its queries on Trino too."""

import contextlib
import os
import signal
import threading
import weakref
from typing import Any

_open: "weakref.WeakSet[Any]" = weakref.WeakSet()
_installed: list[Any] = []


def cancel_at_sigterm(handle: Any) -> None:
    """Cancel what runs on this connection if the process gets SIGTERM."""
    _open.add(handle)


class Running:
    """What runs on a connection of `trino.dbapi`, cursor by cursor."""

    def __init__(self, connection: Any):
        self._cursors: weakref.WeakSet[Any] = weakref.WeakSet()
        self._make = connection.cursor
        connection.cursor = self._cursor

    def _cursor(self, *arguments: Any, **more: Any) -> Any:
        made = self._make(*arguments, **more)
        self._cursors.add(made)
        return made

    def cancel(self) -> None:
        """Cancel all of it; what is over already stays as it is."""
        for each in list(self._cursors):
            with contextlib.suppress(Exception):
                each.cancel()


def watch_sigterm() -> None:
    """Cancel queries at SIGTERM; then all goes as it would have without this. Only a main thread can ask for it."""
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if before in _installed:
        return  # Airflow sets its own for each task of a process

    def stop(number: int, frame: Any) -> None:
        for each in list(_open):
            with contextlib.suppress(Exception):
                each.cancel()
        if callable(before):
            before(number, frame)
            return
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
        if before is not signal.SIG_IGN:
            os.kill(os.getpid(), signal.SIGTERM)

    _installed[:] = [stop]
    signal.signal(signal.SIGTERM, stop)
