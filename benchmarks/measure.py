"""Wall time, CPU time and peak memory of a command and its children, as the system counts them (wait4)."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Measured:
    """Seconds of wall time and of CPU (user and system), and the peak of one process in MiB.

    `all_mib`: the peak of all its processes at once, where that was asked for; what they share counts once.
    """

    wall: float
    cpu: float
    peak_mib: float
    all_mib: float = 0.0


def measure(
    command: Sequence[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    good: Sequence[int] = (0,),
    forks: bool = False,
) -> Measured:
    """Run a command to its end. `forks`: add up the memory of all its processes, looked at twice a second.

    Raises RuntimeError, with its output, if it ends with a code that is not `good`.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with _looking(process.pid, forks) as seen:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, max(seen, default=0) / 2**20)


@contextmanager
def _looking(pid: int, forks: bool) -> Iterator[list[int]]:
    """The bytes of a process and all below it, at each look."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            with suppress(psutil.Error):
                first = psutil.Process(pid)
                seen.append(sum(_bytes(each) for each in [first, *first.children(recursive=True)]))

    looking = threading.Thread(target=look, daemon=True)
    if forks:
        looking.start()
    try:
        yield seen
    finally:
        over.set()
        if forks:
            looking.join()


def _bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0
