"""An Airflow on this machine for one project and target: its processes, detached, and what belongs to them.

All lies under `<home>`: `instance.json` (port, target, name of the metadata database), `secrets.json` and
`passwords.json` (mode 600), `airflow.db` unless the environment names another database, `logs/` (of tasks), and a
folder a process with its `log` and `pid`.
"""

import json
import secrets
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dayslice.engines.file_lock import FileLock
from dayslice.engines.target import home_of
from dayslice.errors import DaysliceError, UsageError
from dayslice.orchestration.api import AirflowApi, health_of
from dayslice.orchestration.environment import (
    DATABASE,
    LOOPBACK,
    SQLITE,
    database_name,
    environment_of,
    of_api_server,
    program,
)
from dayslice.services.private_file import read_json, write_private
from dayslice.services.service import Service, environment_with, listening

USER = "admin"
DEFAULT_PORT = 8080
# Which part of Airflow's health belongs to which process. The API server is the one that answers.
PROCESSES = {
    "api-server": "metadatabase",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
    "scheduler": "scheduler",
}
# Logs are read from their files. The servers that would give them to other machines listen on all addresses.
ARGUMENTS = {"triggerer": ["--skip-serve-logs"], "scheduler": ["--skip-serve-logs"]}
START_SECONDS = 180
# How long tasks that run may take to end. What is cut off then is tried again after the next start.
STOP_SECONDS = 30


@dataclass(frozen=True)
class Settings:
    """What is remembered of an instance between commands. No secret."""

    port: int
    target: str
    database: str = SQLITE


class AirflowInstance:
    """The Airflow of a project, or its second one, for staging, with a home and a database of its own."""

    def __init__(self, root: Path, staging: bool = False):
        self.root = root.absolute()
        self.staging = staging
        self.home = home_of(root) / ("airflow-staging" if staging else "airflow")

    @property
    def name(self) -> str:
        """For people, in messages and at the top of each page."""
        return "Dayslice staging" if self.staging else "Dayslice"

    @property
    def command(self) -> str:
        """How a person names it: `dayslice airflow up --staging`."""
        return "dayslice airflow {}" + (" --staging" if self.staging else "")

    @property
    def settings(self) -> Settings | None:
        """As of its last start; None if it was never started."""
        file = self.home / "instance.json"
        if not file.exists():
            return None
        try:
            return Settings(**read_json(file))
        except TypeError:
            raise DaysliceError(f"{file} is damaged: move it away and run {self.command.format('up')}") from None

    @property
    def known(self) -> Settings:
        """The same, where it has to have been started. Raises UsageError if it was not, or if its database is not at
        hand.
        """
        settings = self.settings
        if settings is None:
            raise UsageError(f"there is no Airflow in {self.home}: {self.command.format('up')} makes one")
        self._check_database(settings)
        return settings

    @property
    def url(self) -> str:
        """Where its pages are."""
        port = self.settings.port if self.settings else self._default_port
        return f"http://{self._host}:{port}"

    @property
    def database(self) -> str:
        """For people: the metadata database, without user and password."""
        name = self.settings.database if self.settings else database_name()
        return str(self.home / "airflow.db") if name == SQLITE else name

    @property
    def passwords(self) -> Path:
        """The file of the simple auth manager."""
        return self.home / "passwords.json"

    def lock(self) -> AbstractContextManager[FileLock]:
        """One command at a time starts or stops it."""
        return FileLock(self.home, wait_seconds=2 * START_SECONDS)

    def environment(self) -> dict[str, str | None]:
        """What its processes have beside this one's environment; None takes a variable away. Holds secrets."""
        settings = self.known
        return environment_of(
            self.root, self.home, self._host, settings.port, settings.target, self.home.parent, self.name
        )

    def services(self) -> list[Service]:
        """Its processes, in the order in which they start. The scheduler is the first to stop, as its tasks report to
        the API server.
        """
        settings = self.settings
        port = settings.port if settings else self._default_port
        environment = self.environment() if settings and database_name() == settings.database else {}
        return [
            Service(
                name=f"Airflow's {name}",
                directory=self.home / name,
                command=lambda name=name: [str(program("airflow")), name, *ARGUMENTS.get(name, [])],  # type: ignore[misc]
                port=port if name == "api-server" else None,
                environment=of_api_server(environment) if name == "api-server" else environment,
            )
            for name in PROCESSES
        ]

    def running(self) -> list[Service]:
        """Those of its processes that run."""
        return [each for each in self.services() if each.process() is not None]

    def prepare(self, port: int | None, target: str) -> str | None:
        """Make its home for a start. Returns the admin's password if it is new, None if there is one already.

        Raises UsageError for a port that is taken, and for a metadata database that is not this instance's.
        """
        before = self.settings
        if before:
            self._check_database(before)
        else:
            self._check_database_is_free()
        chosen = port or (before.port if before else self._default_port)
        ours = before and before.port == chosen and self.services()[0].process()
        if listening(chosen) and not ours:
            raise UsageError(
                f"port {chosen} is in use by another process: choose one with "
                f"{self.command.format('up')} --port {chosen + 10}"
            )
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = Settings(chosen, target, database_name())
        write_private(self.home / "instance.json", json.dumps(asdict(settings)))
        config = self.home / "airflow.cfg"
        if not config.exists():
            # Airflow would write one of its own, with the secrets of its environment in it.
            config.write_text("# What is set here counts, unless the environment or `dayslice airflow up` sets it.\n")
        return None if self.passwords.exists() else self.new_password()

    def new_password(self) -> str:
        """Give the admin a new password, which counts from the next login on."""
        password = secrets.token_urlsafe(18)
        write_private(self.passwords, json.dumps({USER: password}))
        return password

    def start(self, progress: Callable[[str], None]) -> None:
        """Start what does not run, and return when all of it says it is well. Else DaysliceError, and nothing runs."""
        services = self.services()
        try:
            for service in services:
                progress(f"starting {service.name}")
                service.start()
            for service in services:
                progress(f"waiting for {service.name}")
                service.wait_until(lambda service=service: self._is_well(service, services), START_SECONDS)  # type: ignore[misc]
        except BaseException:
            self.stop(lambda _: None)
            raise

    def stop(self, progress: Callable[[str], None]) -> bool:
        """Stop what runs. Tasks that run have half a minute to end. False if nothing ran."""
        *others, scheduler = self.services()
        stopped = []
        for service in (scheduler, *others):
            if service.stop(STOP_SECONDS):
                progress(f"stopped {service.name}")
                stopped.append(service)
            if service is scheduler:
                for other in others:
                    other.terminate()
        return bool(stopped)

    def health(self) -> dict[str, Any] | None:
        """Airflow's own word on its parts; None if the API server does not answer.

        Airflow calls a process well for half a minute after its last sign of life: one that is gone is not.
        """
        found = health_of(self._loopback)
        if found is None:
            return None
        for service in self.services():
            part = found.get(PROCESSES[service.directory.name])
            if part is None or PROCESSES[service.directory.name] == "metadatabase":
                continue
            if service.process() is None:
                part["status"] = "not running"
            elif part.get("status") == "healthy" and not self._beats_since_its_start(service, part):
                part["status"] = "starting"
        return found

    def api(self) -> AirflowApi:
        """Its REST API, as admin."""
        return AirflowApi(self._loopback, USER, str(read_json(self.passwords).get(USER)))

    def make_pools(self, pools: Mapping[str, int]) -> list[str]:
        """Make the pools that are not there; those that are keep the slots that somebody gave them. Those made."""
        api = self.api()
        there = {pool["name"] for pool in api.get("pools", limit=1000)["pools"]}
        made = [name for name in pools if name not in there]
        for name in made:
            api.post("pools", {"name": name, "slots": pools[name], "description": "Of Dayslice's DAGs"})
        return made

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call Airflow's own command line on this instance; standard output and error are text."""
        return subprocess.run(
            [str(program("airflow")), *arguments],
            env=environment_with(self.environment()),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def run_here(self, *arguments: str) -> int:
        """The same with this process's own input and output; the exit code."""
        done = subprocess.run(
            [str(program("airflow")), *arguments], env=environment_with(self.environment()), check=False
        )
        return done.returncode

    @property
    def _host(self) -> str:
        # A browser keeps one login a host, whatever the port: two names let a person be logged in to both.
        return "localhost" if self.staging else LOOPBACK

    @property
    def _loopback(self) -> str:
        return self.url.replace("localhost", LOOPBACK)

    @property
    def _default_port(self) -> int:
        return DEFAULT_PORT + self.staging

    def _is_well(self, service: Service, services: Sequence[Service]) -> bool:
        for each in services:
            each.check_alive()
        part = (self.health() or {}).get(PROCESSES[service.directory.name]) or {}
        return part.get("status") == "healthy"

    def _beats_since_its_start(self, service: Service, part: Mapping[str, Any]) -> bool:
        """A heart that beat before this start was another's."""
        process = service.process()
        beats = [value for key, value in part.items() if key.endswith("heartbeat") and value]
        since = datetime.fromtimestamp(process.create_time() if process else 0, UTC)
        return all(datetime.fromisoformat(beat) >= since for beat in beats)

    def _check_database(self, settings: Settings) -> None:
        if settings.database != database_name():
            raise UsageError(
                f"{self.name}'s Airflow was made with the metadata database {settings.database}, and {DATABASE} gives "
                f"{database_name()}: set it as it was, or delete {self.home / 'instance.json'} to begin with another"
            )

    def _check_database_is_free(self) -> None:
        other = AirflowInstance(self.root, not self.staging).settings
        if other and other.database == database_name() != SQLITE:
            raise UsageError(
                f"the metadata database {database_name()} is that of the project's other Airflow: "
                f"give this one its own in {DATABASE}"
            )


def is_well(health: Mapping[str, Any] | None) -> bool:
    """Whether every part says that it is."""
    return health is not None and all(part.get("status") in (None, "healthy") for part in health.values() if part)
