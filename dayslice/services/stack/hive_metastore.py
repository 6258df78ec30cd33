"""A real Hive metastore without Hadoop: its jars, a configuration, and PostgreSQL behind it."""

import logging
import subprocess
import tempfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

from pymetastore.hive_metastore import ThriftHiveMetastore
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from dayslice.errors import DaysliceError
from dayslice.services.service import LOOPBACK, Service
from dayslice.services.stack.java import METASTORE, find_java
from dayslice.services.stack.objectstore import ObjectStore
from dayslice.services.stack.packages import HIVE_VERSION, metastore_jars
from dayslice.services.stack.postgres import USER, MetastoreDatabase

_HEAP = "768m"
# It would tell of each look at a port that does not listen yet.
logging.getLogger("thrift").setLevel(logging.CRITICAL)


class HiveMetastore:
    """The metastore service; its database must run before it starts."""

    def __init__(self, directory: Path, port: int, database: MetastoreDatabase, store: ObjectStore, warehouse: str):
        self.directory = directory.absolute()
        self.port = port
        self.database = database
        self.store = store
        self.warehouse = warehouse

    @property
    def uri(self) -> str:
        """As clients write it."""
        return f"thrift://{LOOPBACK}:{self.port}"

    def service(self) -> Service:
        """The process, which may or may not run."""
        return Service(
            name="Hive metastore",
            directory=self.directory,
            command=lambda: [
                *(str(find_java(METASTORE)), f"-Xmx{_HEAP}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
                # The quick compiler alone: up with half the CPU, and for minutes it answers with half of it as well.
                "-XX:TieredStopAtLevel=1",
                *("-cp", f"{self.directory / 'conf'}:{metastore_jars()}/*"),
                *("org.apache.hadoop.hive.metastore.HiveMetaStore", "-p", str(self.port)),
            ],
            port=self.port,
            environment={**self.store.environment(), "METASTORE_PASSWORD": self.database.password()},
        )

    def configure(self) -> None:
        """Write its configuration; secrets come from the process's environment."""
        conf = self.directory / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        settings = {
            "javax.jdo.option.ConnectionURL": self.database.jdbc_url,
            "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
            "javax.jdo.option.ConnectionUserName": USER,
            "javax.jdo.option.ConnectionPassword": "${env.METASTORE_PASSWORD}",
            "datanucleus.schema.autoCreateAll": "true",
            "hive.metastore.schema.verification": "false",
            "metastore.thrift.bind.host": LOOPBACK,
            "metastore.warehouse.dir": f"{self.warehouse.replace('s3://', 's3a://')}/default",
            # The default class is of Hive's query engine, which is not here.
            "metastore.expression.proxy": "org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy",
            "metastore.event.db.notification.api.auth": "false",
            # Statistics are for Hive's planner; gathering them lists every new partition's files.
            "hive.stats.autogather": "false",
            "metastore.stats.autogather": "false",
            "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            "fs.s3a.endpoint": self.store.endpoint,
            # Deleting a directory's marker fails on a store that has real directories, and is tried again for minutes.
            "fs.s3a.directory.marker.retention": "keep",
            "fs.s3a.attempts.maximum": "3",
            "fs.s3a.retry.limit": "3",
            "metastore.task.threads.always": "org.apache.hadoop.hive.metastore.events.EventCleanerTask",
            "fs.s3a.path.style.access": "true",
            "fs.s3a.connection.ssl.enabled": "false",
            "fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        }
        properties = "".join(
            f"<property><name>{n}</name><value>{escape(v)}</value></property>\n" for n, v in settings.items()
        )
        (conf / "metastore-site.xml").write_text(f"<configuration>\n{properties}</configuration>\n")
        (conf / "core-site.xml").write_text(f"<configuration>\n{properties}</configuration>\n")
        (conf / "log4j2.properties").write_text(
            "appender.console.type = Console\nappender.console.name = console\n"
            "appender.console.layout.type = PatternLayout\n"
            "appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n\n"
            "rootLogger.level = warn\nrootLogger.appenderRef.console.ref = console\n"
        )

    def start(self) -> None:
        """Configure and start it, and return when it answers."""
        self.configure()
        self.create_schema()
        service = self.service()
        service.start()
        service.wait_until(self.answers, seconds=120)

    def create_schema(self) -> None:
        """Make the database's tables, the first time. Made one by one, when first used, they lock each other out."""
        done = self.directory / "schema-created"
        if done.exists():
            return
        with tempfile.TemporaryDirectory(dir=self.directory) as work:  # mode 700: the properties hold the password
            properties = Path(work) / "datanucleus.properties"
            properties.write_text(
                f"javax.jdo.option.ConnectionURL={self.database.jdbc_url}\n"
                "javax.jdo.option.ConnectionDriverName=org.postgresql.Driver\n"
                f"javax.jdo.option.ConnectionUserName={USER}\n"
                f"javax.jdo.option.ConnectionPassword={self.database.password()}\n"
                "datanucleus.schema.autoCreateAll=true\ndatanucleus.connectionPoolingType=None\n"
                # As the metastore itself sets them: they decide the names.
                "datanucleus.identifierFactory=datanucleus1\ndatanucleus.rdbms.useLegacyNativeValueStrategy=true\n"
            )
            server = metastore_jars() / f"hive-standalone-metastore-server-{HIVE_VERSION}.jar"
            with zipfile.ZipFile(server) as jar:
                jar.extract("package.jdo", work)
            made = subprocess.run(
                [
                    *(find_java(METASTORE), "-cp", f"{metastore_jars()}/*", "org.datanucleus.store.schema.SchemaTool"),
                    *("-create", "-api", "JDO", "-props", properties, Path(work) / "package.jdo"),
                ],
                check=False,
                capture_output=True,
                text=True,
            )
        if made.returncode or "error" in made.stdout.lower():
            raise DaysliceError(f"the metastore's tables could not be made: {made.stdout.strip()[-500:]}")
        done.touch()

    def answers(self) -> bool:
        """Whether it speaks Thrift: a port that is open may still be one that is starting."""
        transport = TBufferedTransport(TSocket(LOOPBACK, self.port))
        try:
            transport.open()
            ThriftHiveMetastore.Client(TBinaryProtocol(transport)).get_all_databases()
        except (TException, OSError):
            return False
        finally:
            transport.close()
        return True
