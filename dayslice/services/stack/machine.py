"""All services of the stack on this machine: started in order, found again, stopped in reverse."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from dayslice.errors import UsageError
from dayslice.services.service import Service, free_port
from dayslice.services.stack.hive_metastore import HiveMetastore
from dayslice.services.stack.java import METASTORE, TRINO, missing_java
from dayslice.services.stack.objectstore import DEFAULT_PORT, ObjectStore
from dayslice.services.stack.packages import install_exchange, install_packages, missing_maven
from dayslice.services.stack.postgres import MetastoreDatabase
from dayslice.services.stack.trino import Settings, Trino
from dayslice.services.stack.trino_node import BUCKET as EXCHANGE_BUCKET
from dayslice.services.stack.trino_worker import TrinoWorker
from dayslice.services.stack.versitygw import install_versitygw, missing_for_versitygw

BUCKET = "warehouse"


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the four services."""

    s3: int = DEFAULT_PORT
    database: int = DEFAULT_PORT + 1
    metastore: int = DEFAULT_PORT + 2
    trino: int = DEFAULT_PORT + 3

    @classmethod
    def free(cls) -> "Ports":
        """Four that nobody listens on now."""
        return cls(free_port(), free_port(), free_port(), free_port())


class Stack:
    """The stack under `directory`, where ports, pids, logs, configuration and data lie.

    The ports and the heap of Trino (as in `3G`) that a start was given are remembered there, so that a later process
    finds the same services.
    """

    def __init__(
        self,
        directory: Path,
        ports: Ports | None = None,
        heap: str | None = None,
        workers: int | None = None,
        retry_policy: str | None = None,
    ):
        self.directory = directory.absolute()
        self.ports = ports or self._known_ports() or Ports()
        self.store = ObjectStore(self.directory / "s3", self.ports.s3)
        self.database = MetastoreDatabase(self.directory / "database", self.ports.database)
        self.metastore = HiveMetastore(
            self.directory / "metastore", self.ports.metastore, self.database, self.store, self.warehouse
        )
        place = self.directory / "trino"
        settings = Settings.remembered(place, heap=heap, workers=workers, retry_policy=retry_policy)
        self.trino = Trino(place, self.ports.trino, self.metastore, self.store, settings)

    @property
    def warehouse(self) -> str:
        """The root of slices' files."""
        return f"s3://{BUCKET}/warehouse"

    def services(self) -> list[Service]:
        """In the order in which they start."""
        below = [self.store.service(), self.database.service(), self.metastore.service(), self.trino.service()]
        return [*below, *(each.service() for each in self.workers()[: self.trino.settings.workers])]

    def workers(self) -> list[TrinoWorker]:
        """Trino's workers, and those that it had before and has no more."""
        before = [int(each.name.partition("-")[2]) for each in self.directory.glob("worker-*")]
        count = max([self.trino.settings.workers, *before])
        return [TrinoWorker(self.directory / f"worker-{number}", number, self.trino) for number in range(1, count + 1)]

    def up(self, progress: Callable[[str], None]) -> None:
        """Install what is missing and start what does not run; returns when all of it answers."""
        if missing := missing_for_stack():
            raise UsageError(missing)
        progress("S3 server (the first time it is built from its source: two minutes)")
        install_versitygw()
        install_packages(progress)
        self._remember_ports()
        progress(f"starting the S3 server on port {self.ports.s3}")
        self.store.start()
        self.store.create_bucket(BUCKET)
        progress(f"starting the metastore's database on port {self.ports.database}")
        self.database.start()
        progress(f"starting the Hive metastore on port {self.ports.metastore}")
        self.metastore.start()
        self._start_trino(progress)

    def _start_trino(self, progress: Callable[[str], None]) -> None:
        wanted = self.trino.settings
        if wanted != Settings.remembered(self.trino.directory) and self.trino.service().process():
            progress("stopping Trino, whose settings are others now")
            self._stop_trino()
        if wanted.workers:
            install_exchange(progress)
            self.store.create_bucket(EXCHANGE_BUCKET)
        beside = f" and {wanted.workers} workers" if wanted.workers else ""
        progress(f"starting Trino on port {self.ports.trino}{beside}")
        self.trino.start([each.prepared() for each in self.workers()[: wanted.workers]])

    def _stop_trino(self) -> list[str]:
        """The coordinator and all workers. Gives the names of those that ran."""
        services = [*(each.service() for each in reversed(self.workers())), self.trino.service()]
        return [each.name for each in services if each.stop()]

    def down(self, progress: Callable[[str], None]) -> None:
        """Stop what runs; the data stays."""
        for name in self._stop_trino():
            progress(f"stopped: {name}")
        for service in reversed(self.services()):
            if service.stop():
                progress(f"stopped: {service.name}")

    def environment(self) -> dict[str, str]:
        """What dbt and `dayslice` need to use this stack as the target `trino`. No secret: that is in a file."""
        return {
            "DAYSLICE_TARGET": "trino",
            "DAYSLICE_TRINO_HOST": "127.0.0.1",
            "DAYSLICE_TRINO_PORT": str(self.ports.trino),
            "DAYSLICE_METASTORE_URI": self.metastore.uri,
            "DAYSLICE_WAREHOUSE": self.warehouse,
            "AWS_ENDPOINT_URL_S3": self.store.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_SHARED_CREDENTIALS_FILE": str(self.store.credentials_file),
        }

    def _known_ports(self) -> Ports | None:
        file = self.directory / "ports.json"
        return Ports(**json.loads(file.read_text())) if file.exists() else None

    def _remember_ports(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "ports.json").write_text(json.dumps(asdict(self.ports)))


def missing_for_stack() -> str | None:
    """Everything that a person has to install first, one sentence each; None if nothing is missing."""
    missing = [missing_java(TRINO), missing_java(METASTORE), missing_maven(), missing_for_versitygw()]
    return "\n".join(each for each in missing if each) or None
