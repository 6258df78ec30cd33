"""An advisory lock beside a file: of two processes that would both write it, one waits."""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from dayslice.errors import Transient

WAIT_SECONDS = 6 * 60 * 60
_POLL_SECONDS = 0.05


class FileLock:
    """A lock held by one process on `<path>.lock`, counted within the process. The system frees it at exit."""

    _held: dict[Path, tuple[IO[str], int]] = {}  # noqa: RUF012 - one table a process is the point
    _guard = threading.RLock()

    def __init__(self, path: Path, wait_seconds: float = WAIT_SECONDS):
        self.path = path.absolute().with_name(path.name + ".lock")
        self.wait_seconds = wait_seconds

    def acquire(self) -> None:
        """Take the lock, waiting for the process that has it. Raises Transient when the wait is over."""
        with self._guard:
            handle, count = self._held.get(self.path, (None, 0))
            if handle is None:
                handle = self._wait()
            self._held[self.path] = (handle, count + 1)

    def release(self) -> None:
        """Give one `acquire` back; the last one frees the lock."""
        with self._guard:
            handle, count = self._held[self.path]
            if count > 1:
                self._held[self.path] = (handle, count - 1)
            else:
                del self._held[self.path]
                handle.close()

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()

    def _wait(self) -> IO[str]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = self.path.open("a+")
        deadline = time.monotonic() + self.wait_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = self._holder(handle)
                    handle.close()
                    raise Transient(
                        f"{self.path.with_suffix('')} has been in use by {holder} for {self.wait_seconds:.0f} s: "
                        "wait for it to end, or end it"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                handle.truncate(0)
                handle.write(str(os.getpid()))
                handle.flush()
                return handle

    @staticmethod
    def _holder(handle: IO[str]) -> str:
        handle.seek(0)
        return f"process {handle.read().strip() or '(unknown)'}"
