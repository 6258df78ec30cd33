"""Fills a Hive metastore with tables of slices, in bulk, for `benchmarks.overview`; takes them away again."""

import copy
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from pymetastore.hive_metastore.ttypes import (
    AlreadyExistsException,
    Database,
    FieldSchema,
    Partition,
    SerDeInfo,
    StorageDescriptor,
)
from pymetastore.hive_metastore.ttypes import Table as HiveTable

from dayslice.metastore.hive import HiveMetastore, connect
from dayslice.metastore.partitions import partition_parameters
from dayslice.rules.slices import Table, Version

_ORC = "org.apache.hadoop.hive.ql.io.orc.Orc"
_SESSIONS = 4


@contextmanager
def filled_hive(uri: str, versions: Iterable[list[Version]], at_once: int) -> Iterator[HiveMetastore]:
    """The metastore, in which these versions are published while this is open."""
    idle: SimpleQueue[Any] = SimpleQueue()
    made: list[Table] = []

    def make(some: list[Version]) -> None:
        session = idle.get()
        try:
            _fill(session, some, at_once)
        finally:
            idle.put(session)

    with connect(uri) as first, connect(uri) as second, connect(uri) as third, connect(uri) as fourth:
        for session in (first, second, third, fourth):
            idle.put(session)
        tables = list(versions)
        made += [some[0].slice.table for some in tables]
        with suppress(AlreadyExistsException):
            first.create_database(Database(name=made[0].schema, parameters={}))
        begun = time.perf_counter()
        with ThreadPoolExecutor(_SESSIONS) as executor:
            list(executor.map(make, tables))
        print(f"filled in {time.perf_counter() - begun:.0f} s")
        with HiveMetastore(uri) as metastore:
            yield metastore
    with connect(uri, timeout_seconds=900) as last:
        last.drop_database(made[0].schema, False, True)


def _fill(client: Any, versions: list[Version], at_once: int) -> None:
    table = versions[0].slice.table
    files = StorageDescriptor(
        cols=[FieldSchema(f"column_{n}", "string", "") for n in range(14)],
        location=f"file:///tmp/{table.schema}/{table.name}",
        inputFormat=f"{_ORC}InputFormat",
        outputFormat=f"{_ORC}OutputFormat",
        serdeInfo=SerDeInfo(serializationLib="org.apache.hadoop.hive.ql.io.orc.OrcSerde", parameters={}),
        bucketCols=[],
        sortCols=[],
        parameters={},
    )
    client.create_table(
        HiveTable(
            dbName=table.schema,
            tableName=table.name,
            owner="benchmark",
            createTime=0,
            lastAccessTime=0,
            tableType="EXTERNAL_TABLE",
            parameters={"EXTERNAL": "TRUE"},
            partitionKeys=[FieldSchema("ds", "string", "")],
            sd=files,
        )
    )
    for start in range(0, len(versions), at_once):
        client.add_partitions([_partition(each, files) for each in versions[start : start + at_once]])


def _partition(version: Version, files: StorageDescriptor) -> Partition:
    own = copy.copy(files)
    own.location = f"{files.location}/{version.id}"
    return Partition(
        values=[version.slice.ds],
        dbName=version.slice.table.schema,
        tableName=version.slice.table.name,
        createTime=0,
        lastAccessTime=0,
        sd=own,
        parameters=partition_parameters(version, 1),
    )
