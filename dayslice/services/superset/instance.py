"""A Superset of this project on this machine: home, settings, secrets, its one process, and what is asked of it."""

import hashlib
import json
import os
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from dayslice.engines.file_lock import FileLock
from dayslice.errors import DaysliceError, Transient, UsageError
from dayslice.services.private_file import write_private
from dayslice.services.service import LOOPBACK, Service, listening
from dayslice.services.superset.environment import LOCK, interpreter

DEFAULT_PORT = 8088
START_SECONDS = 300
STOP_SECONDS = 20
USER = "admin"
INSIDE = Path(__file__).parent / "inside"
DATABASE = "DAYSLICE_SUPERSET_DATABASE"


@dataclass(frozen=True)
class Settings:
    """What a start is made with. Remembered, so that the next one needs no options."""

    port: int = DEFAULT_PORT
    query_seconds: int = 60
    memory: str = "1GB"
    threads: int = 4


class SupersetInstance:
    """The Superset under DAYSLICE_HOME/superset."""

    def __init__(self, dayslice_home: Path):
        self.home = dayslice_home / "superset"

    @property
    def url(self) -> str:
        """Its pages and API."""
        return f"http://{LOOPBACK}:{(self.settings or Settings()).port}"

    @property
    def settings(self) -> Settings | None:
        """Those of the last start; None where there was none."""
        try:
            known = json.loads((self.home / "settings.json").read_text())
        except FileNotFoundError:
            return None
        return Settings(**{name: known[name] for name in asdict(Settings())})

    @property
    def database(self) -> str:
        """Where its metadata is, without a password."""
        return os.environ[DATABASE].rpartition("@")[2] if os.environ.get(DATABASE) else "SQLite"

    def lock(self) -> FileLock:
        """Held while it is started or stopped."""
        return FileLock(self.home)

    def service(self) -> Service:
        """The process, which may or may not run."""
        settings = self.settings or Settings()
        return Service(
            name="Superset",
            directory=self.home / "server",
            command=lambda: [str(interpreter()), "-m", "dayslice_superset.serve"],
            port=settings.port,
            environment={
                "SUPERSET_HOME": str(self.home),
                "SUPERSET_CONFIG_PATH": str(INSIDE / "dayslice_superset" / "config.py"),
                "FLASK_APP": "superset",
                "PYTHONPATH": str(INSIDE),
                "PYTHONDONTWRITEBYTECODE": None,
                "PYTHONWARNINGS": "ignore",
                "SUPERSET_CONFIG": None,
                "DO_NOT_TRACK": "1",
                "SCARF_ANALYTICS": "false",
            },
        )

    def running(self) -> bool:
        """Whether its process runs."""
        return self.service().process() is not None

    def prepare(self, settings: Settings) -> str | None:
        """Write its settings and, once, its secrets. The admin's password if it was made now.

        Raises UsageError for a port that another process has.
        """
        if listening(settings.port):
            raise UsageError(
                f"port {settings.port} is in use by another process: choose one with "
                f"dayslice superset up --port {settings.port + 10}"
            )
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        release = hashlib.sha256(LOCK.read_bytes() + (INSIDE / "dayslice_superset" / "roles.py").read_bytes())
        told = {**asdict(settings), "release": release.hexdigest()}
        (self.home / "settings.json").write_text(json.dumps(told))
        return None if self.secrets_file.exists() else self.new_password()

    @property
    def secrets_file(self) -> Path:
        """Its keys and the passwords that it was made with; mode 600."""
        return self.home / "secrets.json"

    def new_password(self) -> str:
        """Give the admin a new password, which counts from the next start on."""
        known = json.loads(self.secrets_file.read_text()) if self.secrets_file.exists() else {}
        password = secrets.token_urlsafe(18)
        made = {"secret_key": secrets.token_urlsafe(48), "service_password": secrets.token_urlsafe(32)}
        write_private(self.secrets_file, json.dumps({**made, **known, "admin_password": password}))
        return password

    def start(self, progress: Callable[[str], None]) -> None:
        """Start the process and return when it answers. Else DaysliceError with the end of its log."""
        service = self.service()
        progress("starting Superset")
        service.start()
        service.wait_until(self.answers, START_SECONDS)

    def stop(self) -> bool:
        """Stop it. False if it did not run."""
        return self.service().stop(STOP_SECONDS)

    def answers(self) -> bool:
        """Whether it serves pages."""
        try:
            return requests.get(f"{self.url}/health", timeout=5).ok
        except requests.RequestException:
            return False

    def ask(self, request: Mapping[str, Any], seconds: float = 300) -> Any:
        """Ask the running Superset, and wait for its answer. Raises DaysliceError with what it says went wrong."""
        name = f"{uuid.uuid4().hex}.json"
        answer = self.home / "answers" / name
        put_file(self.home / "inbox", name, json.dumps(request))
        deadline = time.monotonic() + seconds
        while not answer.exists():
            if not self.running():
                (self.home / "inbox" / name).unlink(missing_ok=True)
                raise DaysliceError("Superset does not run: start it with dayslice superset up")
            if time.monotonic() > deadline:
                raise Transient(f"Superset has not answered for {seconds:.0f} s; its log: {self.service().log}")
            time.sleep(0.05)
        told = json.loads(answer.read_text())
        answer.unlink()
        if "error" in told:
            raise DaysliceError(f"Superset refused it: {told['error']} (its log: {self.service().log})")
        return told["result"]


def put_file(folder: Path, name: str, text: str) -> None:
    """Put a file where another process looks for it: whole, and only its owner's to read."""
    folder.mkdir(exist_ok=True)
    write_private(folder / name, text)
