"""Tables for the Trino benchmark: TPC-H's, and tables of many slices that share one small version."""

import os
import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import trino

from dayslice.metastore.hive import HiveMetastore, connect
from dayslice.metastore.partitions import partition_parameters
from dayslice.rules.slices import Receipt, Slice, Table, Version

FIRST = date(1990, 1, 1)
_BATCH = 200


@dataclass(frozen=True)
class Server:
    """The Trino, metastore and warehouse of a stack that is up."""

    port: int
    metastore_uri: str
    warehouse: str

    @classmethod
    def from_environment(cls) -> "Server":
        """As `dayslice stack env` says it. Its schemas are made."""
        server = cls(
            int(os.environ["DAYSLICE_TRINO_PORT"]),
            os.environ["DAYSLICE_METASTORE_URI"],
            os.environ["DAYSLICE_WAREHOUSE"],
        )
        server.run("create schema if not exists hive.bench")
        server.run("create schema if not exists iceberg.bench_iceberg")
        return server

    @property
    def nation_location(self) -> str:
        """A version of 25 rows, which many slices share."""
        return f"{self.warehouse}/bench/nation_version"

    def run(self, sql: str) -> list[list[Any]]:
        """The rows of a statement."""
        connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
            host="127.0.0.1", port=self.port, user="benchmark", catalog="hive", schema="bench"
        )
        rows: list[list[Any]] = connection.cursor().execute(sql).fetchall()
        return rows

    def seconds(self, sql: str) -> float:
        """How long a statement takes."""
        begin = time.perf_counter()
        self.run(sql)
        return time.perf_counter() - begin

    def metastore(self) -> HiveMetastore:
        """A client."""
        return HiveMetastore(self.metastore_uri)

    def day(self, number: int) -> str:
        """The ds of a slice by its number."""
        return (FIRST + timedelta(days=number)).isoformat()

    def make_lineitem(self) -> None:
        """6,001,215 rows in a table, so that a write is not the making of the rows."""
        self.run("create table if not exists bench.lineitem as select * from tpch.sf1.lineitem")
        self.run("drop table if exists bench.bare")
        self.run(
            "create table bench.bare with (partitioned_by = array['ds']) as "
            "select *, cast('' as varchar) as ds from bench.lineitem where false"
        )

    def bare_insert(self) -> float:
        """A plain INSERT into a partition that is not there."""
        return self.seconds(f"insert into bench.bare select *, cast('{time.time_ns()}' as varchar) from bench.lineitem")

    def delete_and_insert(self) -> float:
        """Two commits, as one would replace a slice of a Hive table by hand."""
        (newest,) = self.run('select max(ds) from bench."bare$partitions"')[0]
        deleted = self.seconds(f"delete from bench.bare where ds = '{newest}'")
        select = f"select *, cast('{newest}' as varchar) from bench.lineitem"
        return deleted + self.seconds(f"insert into bench.bare {select}")

    def table_of_slices(self, size: int) -> Table:
        """A table with so many slices, made once."""
        table = Table("bench", f"nation_{size}")
        if self.run(f"show tables from bench like 'nation_{size}'"):
            return table
        self.run(f"drop table if exists {table}_version")
        self.run(
            f"create table {table}_version with (external_location = '{self.nation_location}_{size}') as "
            "select nationkey, name from tpch.tiny.nation"
        )
        self.run(
            f"create table {table} (nationkey bigint, name varchar, ds varchar) with "
            f"(external_location = '{self.warehouse}/bench/nation_{size}', partitioned_by = array['ds'])"
        )
        with self.metastore() as metastore, connect(self.metastore_uri) as client:
            for start in range(0, size, _BATCH):
                partitions = [
                    self._partition(metastore, table, number) for number in range(start, min(start + _BATCH, size))
                ]
                client.add_partitions(partitions)
        return table

    def _partition(self, metastore: HiveMetastore, table: Table, number: int) -> Any:
        place = Slice(table, self.day(number))
        version = Version(place, f"v{number:020}_000000", Receipt(rows=25), f"{self.nation_location}_{table.name[7:]}")
        partition = metastore.new_partition(version)
        partition.parameters = partition_parameters(version, [])
        return partition
