"""One Trino, with catalogs on the stack's own metastore and store: a coordinator that works too, or leaves that to
workers beside it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
import trino

from dayslice.errors import UsageError
from dayslice.services.service import LOOPBACK, Service
from dayslice.services.stack.hive_metastore import HiveMetastore
from dayslice.services.stack.objectstore import ObjectStore
from dayslice.services.stack.postgres import USER
from dayslice.services.stack.trino_node import (
    command_of,
    heap_mib,
    s3_of,
    write_exchange,
    write_node,
    write_properties,
)

HEAP = "3G"
RETRY_POLICIES = ("none", "task")
SETTINGS = "settings.json"
# What may look and not touch: Superset's user. All others of this machine may do everything, as without rules.
READER = "superset"
_ALL = {"privileges": ["EXECUTE", "GRANT_EXECUTE", "OWNERSHIP"]}
RULES = {
    "catalogs": [
        {"user": READER, "catalog": "hive|system", "allow": "read-only"},
        {"user": READER, "allow": "none"},
        {"allow": "all"},
    ],
    "functions": [
        {"user": READER, "catalog": "system", "privileges": ["EXECUTE"]},
        {"user": READER, "privileges": []},
        _ALL,
    ],
    "procedures": [{"user": READER, "privileges": []}, {"privileges": ["EXECUTE", "GRANT_EXECUTE"]}],
    "system_information": [{"user": READER, "allow": []}, {"allow": ["read", "write"]}],
    "impersonation": [
        {"original_user": READER, "new_user": ".*", "allow": False},
        {"original_user": ".*", "new_user": ".*"},
    ],
}


@dataclass(frozen=True)
class Settings:
    """How Trino is started. Raises UsageError for what is no heap, and no policy."""

    heap: str = HEAP
    workers: int = 0
    retry_policy: str = "none"

    def __post_init__(self) -> None:
        heap_mib(self.heap)
        if self.retry_policy not in RETRY_POLICIES:
            raise UsageError(f"retry policy {self.retry_policy!r}: one of {', '.join(RETRY_POLICIES)}")

    @classmethod
    def remembered(cls, directory: Path, **given: str | int | None) -> "Settings":
        """As the last start had them, where this one says nothing."""
        file = directory / SETTINGS
        known = json.loads(file.read_text()) if file.exists() else {}
        return cls(**{**known, **{name: value for name, value in given.items() if value is not None}})

    def remember(self, directory: Path) -> None:
        """For the next start."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / SETTINGS).write_text(json.dumps(asdict(self)))


class Trino:
    """The server. Catalogs: `hive` (the warehouse), `iceberg` (same store, for comparisons), `tpch` (made-up data)."""

    def __init__(
        self,
        directory: Path,
        port: int,
        metastore: HiveMetastore,
        store: ObjectStore,
        settings: Settings | None = None,
    ):
        self.directory = directory.absolute()
        self.port = port
        self.metastore = metastore
        self.store = store
        self.settings = settings or Settings()

    @property
    def heap(self) -> str:
        """The memory of each process."""
        return self.settings.heap

    @property
    def url(self) -> str:
        """Its API and web page."""
        return f"http://{LOOPBACK}:{self.port}"

    def service(self) -> Service:
        """The process, which may or may not run."""
        return Service(
            name="Trino",
            directory=self.directory,
            command=lambda: command_of(self.directory, "dayslice", self.heap),
            port=self.port,
            environment=self.environment(),
        )

    def environment(self) -> dict[str, str]:
        """What its catalogs ask for. Holds secrets."""
        return {**self.store.environment(), "METASTORE_PASSWORD": self.metastore.database.password()}

    def configure(self) -> None:
        """Write its configuration; the store's secret comes from the process's environment."""
        self.settings.remember(self.directory)
        catalogs = self.directory / "etc" / "catalog"
        catalogs.mkdir(parents=True, exist_ok=True)
        write_node(
            self.directory,
            self.heap,
            {
                "coordinator": "true",
                "node-scheduler.include-coordinator": str(not self.settings.workers).lower(),
                "http-server.http.port": str(self.port),
                "discovery.uri": self.url,
                "catalog.config-dir": str(catalogs),
                "access-control.config-files": str(self.directory / "etc" / "access-control.properties"),
                # One machine, few users: most of the heap may go to one query.
                "query.max-memory": f"{heap_mib(self.heap) * 6 // 10 * max(self.settings.workers, 1)}MB",
                # A client that was killed holds its query, and the files it writes, for as long as this.
                "query.client.timeout": "1m",
                **self._retries(),
            },
        )
        rules = self.directory / "etc" / "rules.json"
        rules.write_text(json.dumps(RULES, indent=2))
        write_properties(
            self.directory / "etc" / "access-control.properties",
            {"access-control.name": "file", "security.config-file": str(rules)},
        )
        s3 = s3_of(self.store)
        write_properties(
            catalogs / "hive.properties",
            {
                "connector.name": "hive",
                "hive.metastore": "thrift",
                "hive.metastore.uri": self.metastore.uri,
                **s3,
                "hive.non-managed-table-writes-enabled": "true",
                "hive.non-managed-table-creates-enabled": "true",
                "hive.orc.use-column-names": "true",
                "hive.storage-format": "ORC",
                # As PostgreSQL and DuckDB have them; the default would cut times to milliseconds.
                "hive.timestamp-precision": "MICROSECONDS",
                "hive.max-partitions-per-scan": "100000",
            },
        )
        # Iceberg commits with a lock of the metastore, whose tables are not made here; hence a catalog in its database.
        write_properties(
            catalogs / "iceberg.properties",
            {
                "connector.name": "iceberg",
                "iceberg.catalog.type": "jdbc",
                "iceberg.jdbc-catalog.catalog-name": "iceberg",
                "iceberg.jdbc-catalog.driver-class": "org.postgresql.Driver",
                "iceberg.jdbc-catalog.connection-url": self.metastore.database.jdbc_url,
                "iceberg.jdbc-catalog.connection-user": USER,
                "iceberg.jdbc-catalog.connection-password": "${ENV:METASTORE_PASSWORD}",
                "iceberg.jdbc-catalog.default-warehouse-dir": f"{self.metastore.warehouse}/iceberg",
                **s3,
            },
        )
        write_properties(catalogs / "tpch.properties", {"connector.name": "tpch"})

    def _retries(self) -> dict[str, str]:
        """How tasks are tried again, for queries that want it: all of them, or those whose session says so."""
        if not self.settings.workers:
            return {}
        write_exchange(self.directory, self.store)
        memory = f"{heap_mib(self.heap) // 4}MB"
        return {
            "retry-policy": self.settings.retry_policy.upper(),
            # The defaults are of servers with much memory, and of clusters of many.
            "fault-tolerant-execution-task-memory": memory,
            "fault-tolerant-execution-coordinator-task-memory": memory,
            "fault-tolerant-execution-min-partition-count": "4",
            "fault-tolerant-execution-min-partition-count-for-write": "4",
            "fault-tolerant-execution-max-partition-count": "16",
            # A worker that is dead is given up after so long, on one machine without a network between.
            "query.remote-task.max-error-duration": "30s",
        }

    def start(self, workers: Sequence[Service] = ()) -> None:
        """Configure and start it, with its workers, and return when it takes queries with all of them."""
        self.configure()
        self.metastore.database.create_iceberg_tables()
        service = self.service()
        for each in (service, *workers):
            each.start()
        # A busy machine of two cores takes minutes over loading its plugins, and each process loads them.
        service.wait_until(lambda: self.answers(len(workers)), seconds=400 * (1 + len(workers)))

    def answers(self, workers: int = 0) -> bool:
        """Whether it computes, on so many workers. Its own word that it has started comes before it knows itself as a
        worker."""
        if workers > self.working():
            return False
        return self._asked("select count(*) from tpch.tiny.region") == [[5]]

    def working(self) -> int:
        """How many workers it knows."""
        found = self._asked("select count(*) from system.runtime.nodes where not coordinator and state = 'active'")
        return int(found[0][0]) if found else 0

    def _asked(self, query: str) -> list[list[int]]:
        connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
            host=LOOPBACK, port=self.port, user="dayslice-stack", max_attempts=1, request_timeout=10
        )
        try:
            return list(connection.cursor().execute(query).fetchall())
        except (trino.exceptions.Error, requests.RequestException):
            return []
