"""The same warehouse on Trino: imports land in the stack's store and are read through Trino."""

from pathlib import Path

from dbt.adapters.dayslice_trino.credentials import SliceTrinoCredentials

from dayslice.engines.target import Target
from dayslice.metastore.hive import HiveMetastore
from dayslice.rules.slices import Table
from dayslice.services.stack.machine import Stack
from tests.importers.warehouse import Warehouse
from tests.sql.trino_project import SCHEMAS, TrinoProject


class TrinoWarehouse(Warehouse):
    """See `Warehouse`. The stack's environment must be set."""

    def __init__(self, home: Path, stack: Stack):
        super().__init__(home, stack.warehouse)
        credentials = SliceTrinoCredentials.from_dict(
            {
                "host": "127.0.0.1",
                "port": stack.ports.trino,
                "user": "test",
                "database": "hive",
                "schema": "analytics",
                "warehouse": stack.warehouse,
                "metastore_uri": stack.metastore.uri,
            }
        )
        target = Target("trino", "trino", "hive", "analytics", home, stack.warehouse, None, credentials)
        self.project = type(self.project)(home, target, None, {}, {}, self.project.time_zone)
        self.stack = stack

    def empty(self) -> None:
        """Drop every table and view."""
        with HiveMetastore(self.stack.metastore.uri) as metastore:
            for schema in SCHEMAS:
                for name in metastore.tables(schema):
                    metastore.drop_table(Table(schema, name))

    def query(self, sql: str) -> list[tuple]:
        return TrinoProject.query(self, sql)  # type: ignore[arg-type]
