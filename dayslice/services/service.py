"""One service process: started detached, found again by its pid file, stopped with its children."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dayslice.errors import DaysliceError

LOOPBACK = "127.0.0.1"


@dataclass
class Service:
    """A process with a name and a directory of its own, in which `pid` and `log` lie.

    `command` gives the program and its arguments when it is started. It holds no secret: a process's arguments are
    everybody's to read. Secrets go in `environment`, which is added to this process's own and written nowhere (None
    takes a variable away). `user` is the system user to run as, where it is another one. `port` is None for a process
    that nobody connects to.
    """

    name: str
    directory: Path
    command: Callable[[], list[str]]
    port: int | None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    user: str | None = None

    @property
    def log(self) -> Path:
        """Standard output and error of the process, appended to at each start."""
        return self.directory / "log"

    @property
    def pid_file(self) -> Path:
        """The pid and its start time, which together name one process for ever."""
        return self.directory / "pid"

    def start(self) -> None:
        """Start the process in a session of its own, so that it outlives this one. A no-op if it runs already."""
        if self.process() is not None:
            return
        self.stop(seconds=0)
        if self.port and listening(self.port):
            raise DaysliceError(
                f"{self.name}: port {self.port} is in use by another process; end it, or set another port"
            )
        command = self.command()
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                user=self.user,
                env=environment_with(self.environment),
                start_new_session=True,
            )
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(child.pid).create_time()
            self.pid_file.write_text(json.dumps({"pid": child.pid, "started": started}))
        child.returncode = 0  # ours to stop by pid, not Popen's to warn about when it is collected

    def process(self) -> psutil.Process | None:
        """The running process, or None."""
        leader, _ = self._known()
        return next((each for each in self.family() if each.pid == leader), None)

    def family(self) -> list[psutil.Process]:
        """The process and all below it; if it has died, what it left in its session."""
        leader, started = self._known()
        if not leader:
            return []
        found: set[psutil.Process] = set()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if os.getsid(process.pid) != leader:
                    continue
                if process.pid == leader and abs(process.create_time() - started) > 1:
                    return []  # the number was used again, for somebody else's session
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.add(process)
                    found.update(process.children(recursive=True))  # PostgreSQL's each lead a session of their own
        return list(found)

    def _known(self) -> tuple[int, float]:
        try:
            known = json.loads(self.pid_file.read_text())
            return known["pid"], known["started"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0, 0

    def wait_until_listening(self, seconds: float) -> None:
        """Return when the process accepts connections; DaysliceError as of `wait_until`."""
        port = self.port
        self.wait_until(lambda: port is not None and listening(port), seconds)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return when `ready()` is true; DaysliceError with the log's last lines when it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check_alive()
            if time.monotonic() > deadline:
                self.stop()
                raise DaysliceError(
                    f"{self.name} was not ready after {seconds:.0f} s; the end of {self.log}:\n{self.log_tail()}"
                )
            time.sleep(0.1)

    def check_alive(self) -> None:
        """Raises DaysliceError with the log's last lines when the process is not there any more."""
        if self.process() is None:
            self.stop(seconds=0)
            raise DaysliceError(f"{self.name} stopped while it started; the end of {self.log}:\n{self.log_tail()}")

    def terminate(self) -> bool:
        """Ask the process to end. False if it does not run."""
        process = self.process()
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        return True

    def stop(self, seconds: float = 30) -> bool:
        """End the process, which ends what is below it, and by force after `seconds`. False if nothing ran."""
        family = self.family()
        if self.terminate():
            psutil.wait_procs(family, timeout=seconds)
        # What it left behind, and what it started while it was asked to stop.
        left = {*self.family(), *(each for each in family if each.is_running())}
        for each in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(left, timeout=10)
        self.pid_file.unlink(missing_ok=True)
        return bool(family)

    def log_tail(self, lines: int = 15) -> str:
        """The log's last lines."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def environment_with(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with other values; None takes a variable away."""
    return {name: value for name, value in {**os.environ, **changes}.items() if value is not None}


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def listening(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False
