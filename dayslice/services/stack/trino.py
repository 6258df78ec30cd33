"""One Trino: coordinator and worker in one process, with catalogs on the stack's own metastore and store."""

import json
import re
from pathlib import Path

import requests
import trino

from dayslice.errors import UsageError
from dayslice.services.service import LOOPBACK, Service
from dayslice.services.stack.hive_metastore import HiveMetastore
from dayslice.services.stack.java import TRINO, find_java
from dayslice.services.stack.objectstore import REGION, ObjectStore
from dayslice.services.stack.packages import trino_directory
from dayslice.services.stack.postgres import USER

HEAP = "3G"
_LEAST_MIB = 1024
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


class Trino:
    """The server. Catalogs: `hive` (the warehouse), `iceberg` (same store, for comparisons), `tpch` (made-up data)."""

    def __init__(
        self, directory: Path, port: int, metastore: HiveMetastore, store: ObjectStore, heap: str | None = None
    ):
        self.directory = directory.absolute()
        self.port = port
        self.metastore = metastore
        self.store = store
        if heap:
            heap_mib(heap)
        # As the last start had it, where this one says nothing.
        self._heap_file = self.directory / "heap"
        self.heap = heap or (self._heap_file.read_text() if self._heap_file.exists() else HEAP)

    @property
    def url(self) -> str:
        """Its API and web page."""
        return f"http://{LOOPBACK}:{self.port}"

    def service(self) -> Service:
        """The process, which may or may not run."""
        etc = self.directory / "etc"
        return Service(
            name="Trino",
            directory=self.directory,
            command=lambda: [
                *(str(find_java(TRINO)), f"-Xmx{self.heap}", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError"),
                *("-XX:ReservedCodeCacheSize=256M", "-Djdk.attach.allowAttachSelf=true"),
                # As in the jvm.config of Trino's own documentation.
                *("--add-modules=jdk.incubator.vector", "-XX:PerMethodRecompilationCutoff=10000"),
                *("-XX:PerBytecodeRecompilationCutoff=10000", "-XX:+UnlockDiagnosticVMOptions"),
                *("-Dnode.environment=dayslice", "-Dnode.id=dayslice", f"-Dnode.data-dir={self.directory / 'data'}"),
                *(f"-Dnode.bind-ip={LOOPBACK}", f"-Dnode.internal-address={LOOPBACK}"),
                *(f"-Dconfig={etc / 'config.properties'}", f"-Dlog.levels-file={etc / 'log.properties'}"),
                *("-cp", f"{trino_directory() / 'lib'}/*", "io.trino.server.TrinoServer"),
            ],
            port=self.port,
            environment={**self.store.environment(), "METASTORE_PASSWORD": self.metastore.database.password()},
        )

    def configure(self) -> None:
        """Write its configuration; the store's secret comes from the process's environment."""
        catalogs = self.directory / "etc" / "catalog"
        catalogs.mkdir(parents=True, exist_ok=True)
        (self.directory / "data").mkdir(exist_ok=True)
        self._heap_file.write_text(self.heap)
        mib = heap_mib(self.heap)
        _write(
            self.directory / "etc" / "config.properties",
            {
                "coordinator": "true",
                "node-scheduler.include-coordinator": "true",
                "http-server.http.port": str(self.port),
                "discovery.uri": self.url,
                "catalog.config-dir": str(catalogs),
                "plugin.dir": str(trino_directory() / "plugin"),
                "access-control.config-files": str(self.directory / "etc" / "access-control.properties"),
                # One machine, few users: most of the heap may go to one query.
                "query.max-memory": f"{mib * 6 // 10}MB",
                "query.max-memory-per-node": f"{mib * 6 // 10}MB",
                "memory.heap-headroom-per-node": f"{mib // 4}MB",
                # Not used until a session says `spill_enabled`.
                "spiller-spill-path": str(self.directory / "spill"),
                # A client that was killed holds its query, and the files it writes, for as long as this.
                "query.client.timeout": "1m",
            },
        )
        _write(self.directory / "etc" / "log.properties", {"io.trino": "INFO"})
        rules = self.directory / "etc" / "rules.json"
        rules.write_text(json.dumps(RULES, indent=2))
        _write(
            self.directory / "etc" / "access-control.properties",
            {"access-control.name": "file", "security.config-file": str(rules)},
        )
        s3 = {
            "fs.native-s3.enabled": "true",
            "s3.endpoint": self.store.endpoint,
            "s3.region": REGION,
            "s3.path-style-access": "true",
            "s3.aws-access-key": "${ENV:AWS_ACCESS_KEY_ID}",
            "s3.aws-secret-key": "${ENV:AWS_SECRET_ACCESS_KEY}",
        }
        _write(
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
        _write(
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
        _write(catalogs / "tpch.properties", {"connector.name": "tpch"})

    def start(self) -> None:
        """Configure and start it, and return when it takes queries."""
        self.configure()
        self.metastore.database.create_iceberg_tables()
        service = self.service()
        service.start()
        # A busy machine of two cores takes minutes over loading its plugins.
        service.wait_until(self.answers, seconds=400)

    def answers(self) -> bool:
        """Whether it computes. Its own word that it has started comes before it knows itself as a worker."""
        connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
            host=LOOPBACK, port=self.port, user="dayslice-stack", max_attempts=1, request_timeout=10
        )
        try:
            rows = connection.cursor().execute("select count(*) from tpch.tiny.region").fetchall()
        except (trino.exceptions.Error, requests.RequestException):
            return False
        return bool(rows == [[5]])


def heap_mib(heap: str) -> int:
    """A heap as Java takes it, `3G` or `2048m`, in MiB. UsageError if it is none, or less than Trino needs."""
    found = re.fullmatch(r"(\d+)([gm])", heap.lower())
    mib = int(found[1]) * (1024 if found[2] == "g" else 1) if found else 0
    if mib < _LEAST_MIB:
        raise UsageError(f"heap {heap!r}: a number with G or M, at least {_LEAST_MIB}M, as in 3G")
    return mib


def _write(file: Path, properties: dict[str, str]) -> None:
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
