"""One service process: started detached, found again by its pid file, stopped with its children."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dayslice.errors import DaysliceError

LOOPBACK = "127.0.0.1"


@dataclass
class Service:
    """A process with a name and a directory of its own, in which `pid` and `log` lie.

    `command` gives the program and its arguments when it is started. It holds no secret: a process's arguments are
    everybody's to read. Secrets go in `environment`, which is added to this process's own and written nowhere. `user`
    is the system user to run as, where it is another one.
    """

    name: str
    directory: Path
    command: Callable[[], list[str]]
    port: int
    environment: dict[str, str] = field(default_factory=dict)
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
        if listening(self.port):
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
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(child.pid).create_time()
            self.pid_file.write_text(json.dumps({"pid": child.pid, "started": started}))
        child.returncode = 0  # ours to stop by pid, not Popen's to warn about when it is collected

    def process(self) -> psutil.Process | None:
        """The running process, or None."""
        try:
            known = json.loads(self.pid_file.read_text())
            process = psutil.Process(known["pid"])
            same = abs(process.create_time() - known["started"]) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def wait_until_listening(self, seconds: float) -> None:
        """Return when the process accepts connections; DaysliceError as of `wait_until`."""
        self.wait_until(lambda: listening(self.port), seconds)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return when `ready()` is true; DaysliceError with the log's last lines when it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process() is None:
                self.pid_file.unlink(missing_ok=True)
                raise DaysliceError(f"{self.name} stopped while it started; the end of {self.log}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise DaysliceError(
                    f"{self.name} was not ready after {seconds:.0f} s; the end of {self.log}:\n{self.log_tail()}"
                )
            time.sleep(0.1)

    def stop(self, seconds: float = 30) -> bool:
        """End the process and its children, by force after `seconds`. False if it was not running."""
        process = self.process()
        if process is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        family = [process, *process.children(recursive=True)]
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        _, alive = psutil.wait_procs(family, timeout=seconds)
        for left in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        psutil.wait_procs(alive, timeout=10)
        self.pid_file.unlink(missing_ok=True)
        return True

    def log_tail(self, lines: int = 15) -> str:
        """The log's last lines."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


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
