"""The same small project on Trino: real services, one stack for the session."""

from pathlib import Path

import trino

from dayslice.metastore.hive import HiveMetastore
from dayslice.metastore.journal import SCHEMA as JOURNALS
from dayslice.metastore.stages import STAGING_SCHEMA, version_location
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.services.stack.machine import Stack
from dayslice.store.choice import open_store
from tests.sql.warehouse_project import WarehouseProject

SCHEMAS = ("analytics", "erp", "staging", STAGING_SCHEMA, JOURNALS)


class TrinoProject(WarehouseProject):
    """See `WarehouseProject`. `environment` must be set while dbt runs."""

    target = "trino"

    def __init__(self, root: Path, files: dict[str, str], stack: Stack):
        self.stack = stack
        super().__init__(root, files)

    @property
    def environment(self) -> dict[str, str]:
        """What a person's shell would have from `dayslice stack env`; and stages of dead runs are cleaned at once."""
        return {**self.stack.environment(), "DAYSLICE_HOME": str(self.root / "warehouse"), "DAYSLICE_GRACE_HOURS": "0"}

    def empty(self) -> None:
        """Drop every table and view. The files of slices stay, as each version has a place of its own; those of a table
        that Trino keeps in its schema's folder go, as it makes none anew where some lie.
        """
        with HiveMetastore(self.stack.metastore.uri) as metastore:
            for schema in SCHEMAS:
                for name in metastore.tables(schema):
                    table = Table(schema, name)
                    place = metastore.location(table) or ""
                    metastore.drop_table(table)
                    if place.endswith(f"{schema}.db/{name}"):
                        open_store(place.replace("s3a://", "s3://")).remove("")

    def land(self, table: str, ds: str, rows: str | None, columns: str) -> None:
        slice = Slice(Table("erp", table), ds)
        version = new_version_id()
        location = version_location(self.stack.warehouse, slice, version)
        place = f"external_location = '{self.stack.warehouse}/erp/{table}', partitioned_by = array['ds']"
        self.query("create schema if not exists erp")
        self.query(f"create schema if not exists {STAGING_SCHEMA}")
        self.query(f"create table if not exists erp.{table} ({columns}, ds varchar) with ({place})")
        names = ", ".join(column.split()[0] for column in columns.split(","))
        types = ", ".join(f"cast({c.split()[0]} as {c.split()[1]}) as {c.split()[0]}" for c in columns.split(","))
        selected = f"select {types} from ({rows}) as t({names})" if rows else f"select * from erp.{table} where false"
        staged = f"{STAGING_SCHEMA}.landing_{version}"
        self.query(f"create table {staged} with (external_location = '{location}') as {selected}")
        (count,) = self.query(f"select count(*) from {staged}")[0]
        with HiveMetastore(self.stack.metastore.uri) as metastore:
            metastore.publish(Version(slice, version, Receipt(rows=count), location))
            metastore.drop_table(Table(*staged.split(".")))

    def query(self, sql: str) -> list[tuple]:
        connection = trino.dbapi.connect(
            host="127.0.0.1", port=self.stack.ports.trino, user="test", catalog="hive", schema="analytics"
        )
        return [tuple(row) for row in connection.cursor().execute(sql).fetchall()]

    def published(self, table: str, schema: str = "analytics") -> dict[str, Version]:
        with HiveMetastore(self.stack.metastore.uri) as metastore:
            return metastore.published(Table(schema, table))

    def metastore(self) -> HiveMetastore:
        return HiveMetastore(self.stack.metastore.uri)

    def staged(self) -> list[str]:
        with HiveMetastore(self.stack.metastore.uri) as metastore:
            return metastore.tables(STAGING_SCHEMA)
