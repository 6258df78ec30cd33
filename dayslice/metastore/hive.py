"""The metastore of Hive, over Thrift: one call publishes a slice."""

import copy
import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pymetastore.hive_metastore import ThriftHiveMetastore
from pymetastore.hive_metastore.ttypes import (
    AlreadyExistsException,
    EnvironmentContext,
    GetTableRequest,
    InvalidOperationException,
    MetaException,
    NoSuchObjectException,
    Partition,
)
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

from dayslice.errors import DaysliceError, Transient, UsageError
from dayslice.metastore.partitioned import Partitioned
from dayslice.metastore.partitions import all_versions, partition_name, partition_parameters, published_version
from dayslice.rules.file_layout import FileLayout
from dayslice.rules.slices import Slice, Table, Version

# Its line for each refused connection says less than our error, and comes for each retry.
logging.getLogger("thrift").setLevel(logging.CRITICAL)

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
# A metastore that is restarted is away for a few seconds; a run should not fail for that.
RETRY_SECONDS = 60.0
_BATCH = 500
# The file system is not asked what a version weighs: the receipt says it.
_CONTEXT = EnvironmentContext(properties={"DO_NOT_UPDATE_STATS": "true"})


@contextmanager
def connect(uri: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[Any]:
    """A Thrift client of the first metastore of `thrift://host:port[,thrift://host:port…]` that answers."""
    transport = _open(uri, timeout_seconds)
    try:
        yield ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(transport))
    finally:
        transport.close()


class HiveMetastore(Partitioned):
    """See `dayslice.metastore.interface.Metastore`. One thread at a time; close it, or use it as a context manager."""

    raced = (AlreadyExistsException, InvalidOperationException)

    def __init__(self, uri: str, retry_seconds: float = RETRY_SECONDS):
        super().__init__()
        self.uri = uri
        self.retry_seconds = retry_seconds
        self._transport: Any = None
        self._client: Any = None

    def __enter__(self) -> "HiveMetastore":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._transport is not None:
            self._transport.close()
        self._transport = self._client = None

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The published versions of a table, by ds: those of `ds` that exist, or all."""
        found = self._of(table, self.published_ds(table) if ds is None else sorted(set(ds)))
        return {s.ds: published_version(s, partition.sd.location, partition.parameters) for s, partition in found}

    def published_ds(self, table: Table) -> list[str]:
        """Every published ds of a table, oldest first; names only, so that it is quick with ten thousand of them."""
        holder = self._holder(table)
        names = self._or_none(lambda client: client.get_partition_names(*_names(holder), -1)) or []
        return sorted(name.removeprefix("ds=") for name in names)

    def versions(self, slice: Slice) -> list[Version]:
        """All kept versions of a slice, newest first."""
        partition = self._partition(slice)
        return [] if partition is None else all_versions(slice, partition.sd.location, partition.parameters)

    def history(self, table: Table) -> dict[str, list[Version]]:
        """The kept versions of all slices of a table, by ds, each list newest first."""
        found = self._of(table, self.published_ds(table))
        return {s.ds: all_versions(s, partition.sd.location, partition.parameters) for s, partition in found}

    def forget(self, version: Version) -> None:
        """Forget a kept version; of a published one, remove its slice from the table. Files stay."""
        partition = self._partition(version.slice)
        if partition is None:
            return
        known = all_versions(version.slice, partition.sd.location, partition.parameters)
        shown = published_version(version.slice, partition.sd.location, partition.parameters)
        if shown.id == version.id:
            holder = self._holder(version.slice.table)
            self._or_none(lambda client: client.drop_partition(*_names(holder), [version.slice.ds], False))
        elif any(each.id == version.id for each in known):
            partition.parameters = partition_parameters(shown, [v for v in known if v.id != version.id])
            self._alter(partition)

    def tables(self, schema: str, prefix: str = "") -> list[str]:
        """The names of a schema's tables that begin with `prefix`. A schema unknown gives []."""
        found = self._or_none(lambda client: client.get_tables(schema, prefix + "*")) or []
        return sorted(name for name in found if name.startswith(prefix))

    def location(self, table: Table) -> str | None:
        """Where a table lies, or None if there is no such table."""
        found = self._table(table)
        return None if found is None else str(found.sd.location)

    def columns(self, table: Table) -> list[str]:
        """The names of a table's columns in lower case, less partition keys; [] if there is no such table."""
        found = self._table(table)
        return [] if found is None else [column.name.lower() for column in found.sd.cols]

    def layout(self, table: Table) -> FileLayout | None:
        """How a table's files are written, or None if there is no such table."""
        found = self._table(table)
        if found is None:
            return None
        order = [each.col + ("" if each.order else " desc") for each in found.sd.sortCols or []]
        return FileLayout.stored(found.sd.outputFormat, found.sd.bucketCols or [], found.sd.numBuckets, order)

    def drop_table(self, table: Table) -> None:
        """Drop an external table; its files stay. None there is no error."""
        self._or_none(lambda client: client.drop_table(*_names(table), False))

    def replace_content(self, table: Table, staged: Table) -> None:
        """Make a table without slices show what a staged one holds, columns and files, in one call."""
        shown, new = self._table(table), self._table(staged)
        if new is None:
            raise DaysliceError(f"{staged} is not in the metastore {self.uri}")
        if shown is None:
            new.dbName, new.tableName = _names(table)
            self._call(lambda client: client.create_table(new))
            return
        shown.sd = new.sd
        self._call(lambda client: client.alter_table_with_environment_context(*_names(table), shown, _CONTEXT))

    def _table(self, table: Table) -> Any:
        # Hive 4 answers this request only, Hive 3 this and the older `get_table`.
        request = GetTableRequest(dbName=table.schema, tblName=table.name)
        found = self._or_none(lambda client: client.get_table_req(request))
        return None if found is None else found.table

    def _of(self, table: Table, ds: list[str]) -> Iterator[tuple[Slice, Any]]:
        holder = self._holder(table)
        for start in range(0, len(ds), _BATCH):
            names = [partition_name(each) for each in ds[start : start + _BATCH]]
            for partition in self._partitions(holder, names):
                yield _slice(table, partition), partition

    def _partition(self, slice: Slice) -> Any:
        found = self._partitions(self._holder(slice.table), [partition_name(slice.ds)])
        return found[0] if found else None

    def _partitions(self, table: Table, names: list[str]) -> list[Any]:
        try:
            return self._or_none(lambda client: client.get_partitions_by_names(*_names(table), names)) or []
        except DaysliceError:
            # Of a table that is not there, Hive 4 says so in a way that Hive 3's interface does not know.
            if self._table(table) is None:
                return []
            raise

    def _create(self, version: Version) -> None:
        partition = self.new_partition(version)
        self._call(lambda client: client.add_partition_with_environment_context(partition, _CONTEXT))

    def _replace(self, existing: Any, version: Version) -> None:
        """The same partition, showing another version and remembering the one it showed."""
        earlier = all_versions(version.slice, existing.sd.location, existing.parameters)
        existing.sd.location = version.location
        existing.parameters = partition_parameters(version, earlier)
        self._alter(existing)

    def _alter(self, partition: Any) -> None:
        names = (partition.dbName, partition.tableName)
        self._call(lambda client: client.alter_partition_with_environment_context(*names, partition, _CONTEXT))

    def new_partition(self, version: Version) -> Any:
        """The partition that would show a version, as Thrift has it. Raises DaysliceError if there is no such table."""
        table = self._holder(version.slice.table)
        parent = self._table(table)
        if parent is None:
            raise DaysliceError(f"{table} is not in the metastore {self.uri}, so {version.slice} cannot be published")
        descriptor = copy.deepcopy(parent.sd)
        descriptor.location = version.location
        return Partition(
            values=[version.slice.ds],
            dbName=table.schema,
            tableName=table.name,
            createTime=int(time.time()),
            lastAccessTime=0,
            sd=descriptor,
            parameters=partition_parameters(version, []),
        )

    def _or_none(self, call: Callable[[Any], T]) -> T | None:
        try:
            return self._call(call)
        except NoSuchObjectException:
            return None

    def _call(self, call: Callable[[Any], T]) -> T:
        """One request, repeated over a new connection while the metastore is away; all may be repeated."""
        deadline = time.monotonic() + self.retry_seconds
        pause = 0.2
        while True:
            try:
                if self._client is None:
                    self._transport = _open(self.uri, TIMEOUT_SECONDS)
                    self._client = ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(self._transport))
                return call(self._client)
            except (TTransportException, OSError, EOFError) as error:
                self.close()
                if time.monotonic() + pause > deadline:
                    raise Transient(f"the Hive metastore {self.uri} does not answer: {error}") from None
                time.sleep(pause)
                pause = min(pause * 2, 5)
            except (MetaException, TApplicationException) as error:
                raise DaysliceError(f"the Hive metastore {self.uri} refused: {error.message}") from None


def _slice(table: Table, partition: Any) -> Slice:
    return Slice(table, partition.values[0])


def _names(table: Table) -> tuple[str, str]:
    return table.schema, table.name


def _open(uri: str, timeout_seconds: float) -> Any:
    failure: Exception = UsageError(f"metastore_uri {uri!r} names no host and port: write thrift://host:9083")
    for one in uri.split(","):
        parts = urlsplit(one.strip())
        if parts.scheme != "thrift" or not parts.hostname:
            raise UsageError(f"metastore_uri {one!r} is not thrift://host:port")
        connection = TSocket(parts.hostname, parts.port or 9083)
        connection.setTimeout(timeout_seconds * 1000)
        transport = TBufferedTransport(connection)
        try:
            transport.open()
            return transport
        except (OSError, TTransportException) as error:
            failure = error
    raise failure
