"""The metastore of Hive, over Thrift: one call publishes a slice."""

import contextlib
import copy
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pymetastore.hive_metastore import ThriftHiveMetastore
from pymetastore.hive_metastore.ttypes import (
    AlreadyExistsException,
    ColumnStatistics,
    ColumnStatisticsDesc,
    Database,
    EnvironmentContext,
    FieldSchema,
    GetTableRequest,
    InvalidOperationException,
    MetaException,
    NoSuchObjectException,
    Partition,
    PartitionsStatsRequest,
    SerDeInfo,
    StorageDescriptor,
    TableStatsRequest,
)
from pymetastore.hive_metastore.ttypes import Table as HiveTable
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

from dayslice.errors import DaysliceError, Transient, UsageError
from dayslice.metastore.journal import KEYS
from dayslice.metastore.many import Altered, New
from dayslice.metastore.partitioned import Partitioned, kind_of
from dayslice.metastore.partitions import Row, is_own_column, partition_name
from dayslice.metastore.patience import WAIT, patience
from dayslice.rules.file_layout import ORC, FileLayout
from dayslice.rules.slices import Table

# Its line for each refused connection says less than our error, and comes for each retry.
logging.getLogger("thrift").setLevel(logging.CRITICAL)
_logger = logging.getLogger(__name__)

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
# A person hears of it after this.
_SILENT_SECONDS = 2.0
# To connect takes milliseconds, or is for nothing.
_CONNECT_SECONDS = 5.0
# The largest answer that a look asks for comes within this.
_ANSWER_SECONDS = 20.0
_BATCH = 500
# So many partitions are read more quickly than a table's definition, which a call by names begins with.
_NEEDLESS = 30
# Derby, where that is the database behind it, refuses 500.
_ADDED_AT_MOST = 50
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

    def __init__(self, uri: str, retry_seconds: float | None = None):
        super().__init__()
        self.uri = uri
        self.retry_seconds = patience() if retry_seconds is None else retry_seconds
        self.timeout_seconds = min(TIMEOUT_SECONDS, max(_ANSWER_SECONDS, self.retry_seconds))
        self._transport: Any = None
        self._client: Any = None
        self._told = False

    def __enter__(self) -> "HiveMetastore":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._transport is not None:
            self._transport.close()
        self._transport = self._client = None

    def tables(self, schema: str, prefix: str = "") -> list[str]:
        """The names of a schema's tables that begin with `prefix`. A schema unknown gives []."""
        # By a pattern the metastore reads each table that fits: 17 s of a thousand, where the names alone take 10 ms.
        found = self._or_none(lambda client: client.get_all_tables(schema)) or []
        return sorted(name for name in found if name.startswith(prefix))

    def location(self, table: Table) -> str | None:
        """Where a table lies, or None if there is no such table."""
        found = self._table(table)
        return None if found is None else str(found.sd.location)

    def default_location(self, table: Table) -> str | None:
        """Where a table lies that asks for no place of its own; None where its schema has none."""
        found = self._or_none(lambda client: client.get_database(table.schema))
        return f"{found.locationUri.rstrip('/')}/{table.name}" if found and found.locationUri else None

    def kind(self, table: Table) -> str | None:
        """`slices` for one that is partitioned by ds, `view`, or `table` for any other; None if there is none."""
        found = self._table(table)
        return found and kind_of(found.tableType, [key.name for key in found.partitionKeys or []])

    def columns(self, table: Table) -> list[str]:
        """The names of a table's columns in lower case, less partition keys; [] if there is no such table."""
        found = self._table(table)
        return [] if found is None else [column.name.lower() for column in found.sd.cols]

    def column_types(self, table: Table) -> dict[str, str]:
        """The types of a table's columns as Hive writes them, by name in lower case, less partition keys."""
        found = self._table(table)
        return {} if found is None else {column.name.lower(): column.type for column in found.sd.cols}

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

    @property
    def named(self) -> str:
        """What a message calls it."""
        return f"the metastore {self.uri}"

    def _location(self, table: Table) -> str:
        return str(self._parent(table).sd.location)

    def _parent(self, table: Table) -> Any:
        found = self._table(table)
        if found is None:
            raise DaysliceError(f"{table} is not in {self.named}")
        return found

    def _make_journal(self, journal: Table, like: Table) -> None:
        files = copy.deepcopy(self._parent(like).sd)
        files.location = f"{files.location}/_journal"
        self._make_partitioned(journal, KEYS, files)

    def _make_list(self, table: Table, keys: Sequence[str], location: str) -> None:
        serde = SerDeInfo(name=table.name, serializationLib=ORC.serde, parameters={})
        nothing = [FieldSchema("nothing", "string", "")]
        files = StorageDescriptor(
            cols=nothing,
            location=location,
            inputFormat=ORC.input,
            outputFormat=ORC.output,
            serdeInfo=serde,
            numBuckets=-1,
            parameters={},
        )
        self._make_partitioned(table, keys, files)

    def _make_partitioned(self, table: Table, keys: Sequence[str], files: StorageDescriptor) -> None:
        made = HiveTable(
            dbName=table.schema,
            tableName=table.name,
            owner="dayslice",
            createTime=int(time.time()),
            lastAccessTime=0,
            tableType="EXTERNAL_TABLE",
            parameters={"EXTERNAL": "TRUE"},
            partitionKeys=[FieldSchema(name, "string", "") for name in keys],
            sd=files,
        )
        with contextlib.suppress(AlreadyExistsException):
            self._call(lambda client: client.create_database(Database(name=table.schema, parameters={})))
        with contextlib.suppress(AlreadyExistsException):
            self._call(lambda client: client.create_table(made))

    def _values(self, table: Table) -> list[tuple[str, ...]]:
        # By their names, which are quick: a value that Hive would write in another way is in none of them.
        names = self._or_none(lambda client: client.get_partition_names(*_names(table), -1)) or []
        return [tuple(part.partition("=")[2] for part in name.split("/")) for name in names]

    def _ds(self, table: Table) -> list[str]:
        names = self._or_none(lambda client: client.get_partition_names(*_names(table), -1)) or []
        return [name.removeprefix("ds=") for name in names]

    def _rows(self, table: Table, ds: str | None = None) -> Iterator[Row]:
        if ds is not None:
            found = self._or_empty(table, lambda client: client.get_partitions_ps(*_names(table), [ds], -1))
            yield from map(_row, found)
            return
        names = self._or_none(lambda client: client.get_partition_names(*_names(table), -1)) or []
        yield from self._named(table, names)

    def _rows_between(self, table: Table, first: str, last: str) -> Iterator[Row]:
        # The names are quick, and a filter is not: it is parsed, and on some databases carried out in the metastore.
        stands = self._ds(table)
        wanted = [ds for ds in stands if first <= ds <= last]
        if not wanted or len(wanted) > _BATCH or len(stands) - len(wanted) > _NEEDLESS:
            yield from self._rows_of(table, wanted)
            return
        # For names the metastore reads the whole table first, which takes longer than some partitions more.
        found = self._or_empty(table, lambda client: client.get_partitions(*_names(table), -1))
        yield from (row for row in map(_row, found) if first <= row.values[0] <= last)

    def _session(self) -> "HiveMetastore":
        return HiveMetastore(self.uri, self.retry_seconds)

    def _rows_of(self, table: Table, ds: list[str]) -> Iterator[Row]:
        return self._named(table, [partition_name(each) for each in ds])

    def _named(self, table: Table, names: list[str]) -> Iterator[Row]:
        for start in range(0, len(names), _BATCH):
            ask = partial(_by_names, table=table, names=names[start : start + _BATCH])
            yield from map(_row, self._or_empty(table, ask))

    def _or_empty(self, table: Table, call: Callable[[Any], list[Any]]) -> list[Any]:
        try:
            return self._or_none(call) or []
        except DaysliceError:
            # Of a table that is not there, Hive 4 says so in a way that Hive 3's interface does not know.
            if self._table(table) is None:
                return []
            # It is there by now: another process made it in between.
            return self._or_none(call) or []

    def _add(
        self,
        table: Table,
        values: Sequence[str],
        location: str,
        parameters: Mapping[str, str],
        is_orc: bool = False,
    ) -> None:
        partition = self.new_partition(table, values, location, parameters, is_orc)
        self._call(lambda client: client.add_partition_with_environment_context(partition, _CONTEXT))

    def _alter(
        self, table: Table, row: Row, location: str, parameters: Mapping[str, str], is_orc: bool = False
    ) -> None:
        partition = row.held
        # The table's columns of now: a slice that is written again has those that were added since.
        partition.sd = self.new_partition(table, row.values, location, parameters, is_orc).sd
        partition.parameters = dict(parameters)
        self._call(lambda client: client.alter_partition_with_environment_context(*_names(table), partition, _CONTEXT))

    def _add_many(self, table: Table, new: Sequence[New]) -> None:
        partitions = [self.new_partition(table, *each) for each in new]
        for start in range(0, len(partitions), _ADDED_AT_MOST):
            some = partitions[start : start + _ADDED_AT_MOST]
            self._call(lambda client, some=some: client.add_partitions(some))  # type: ignore[misc]

    def _alter_many(self, table: Table, altered: Sequence[Altered]) -> None:
        partitions = []
        for row, location, parameters in altered:
            row.held.sd = self.new_partition(table, row.values, location, parameters).sd
            row.held.parameters = dict(parameters)
            partitions.append(row.held)
        if partitions:
            names = _names(table)
            self._call(lambda client: client.alter_partitions_with_environment_context(*names, partitions, _CONTEXT))

    def _drop(self, table: Table, values: Sequence[str]) -> None:
        self._or_none(lambda client: client.drop_partition(*_names(table), list(values), False))

    def _statistics(self, table: Table, values: Sequence[str]) -> list[Any]:
        columns = [column.name for column in self._parent(table).sd.cols]
        if not columns:
            return []
        if not values:
            request = TableStatsRequest(*_names(table), columns)
            return list(self._call(lambda client: client.get_table_statistics_req(request)).tableStats)
        name = _partition_name(values)
        of_one = PartitionsStatsRequest(*_names(table), columns, [name])
        return list(self._call(lambda client: client.get_partitions_statistics_req(of_one)).partStats.get(name, []))

    def _write_statistics(self, table: Table, values: Sequence[str], statistics: list[Any]) -> None:
        columns = {column.name.lower() for column in self._parent(table).sd.cols}
        about = ColumnStatisticsDesc(False, *_names(table), _partition_name(values), int(time.time()))
        # Kinds that this client does not know come as nothing, and Hive refuses all where one is nothing.
        known = [each for each in statistics if any(vars(each.statsData).values())]
        noted = ColumnStatistics(about, [each for each in known if each.colName.lower() in columns])
        if noted.statsObj:
            self._call(lambda client: client.update_partition_column_statistics(noted))

    def _erase_statistics(self, table: Table, row: Row) -> None:
        if self._statistics(table, row.values):
            names = (*_names(table), _partition_name(row.values))
            self._or_none(lambda client: client.delete_partition_column_statistics(*names, None))

    def new_partition(
        self,
        table: Table,
        values: Sequence[str],
        location: str,
        parameters: Mapping[str, str],
        is_orc: bool = False,
    ) -> Partition:
        """A partition as Thrift has it, with its table's columns. Raises DaysliceError if there is no such table."""
        descriptor = copy.deepcopy(self._parent(table).sd)
        descriptor.location = location
        descriptor.cols = [column for column in descriptor.cols if is_own_column(table, column.name)]
        if is_orc:
            descriptor.inputFormat, descriptor.outputFormat = ORC.input, ORC.output
            descriptor.serdeInfo = SerDeInfo(name=table.name, serializationLib=ORC.serde, parameters={})
        return Partition(
            values=list(values),
            dbName=table.schema,
            tableName=table.name,
            createTime=int(time.time()),
            lastAccessTime=0,
            sd=descriptor,
            parameters=dict(parameters),
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
                    self._transport = _open(self.uri, self.timeout_seconds)
                    self._client = ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(self._transport))
                return call(self._client)
            except (TTransportException, OSError, EOFError) as error:
                self.close()
                if time.monotonic() + pause > deadline - self.retry_seconds + _SILENT_SECONDS and not self._told:
                    self._told = True
                    _logger.warning(
                        "the Hive metastore %s does not answer: %s; trying for %d s",
                        self.uri,
                        error,
                        self.retry_seconds,
                    )
                if time.monotonic() + pause > deadline:
                    raise Transient(
                        f"the Hive metastore {self.uri} does not answer: {error}; tried for {self.retry_seconds:.0f} s "
                        f"({WAIT} changes that)"
                    ) from None
                time.sleep(pause)
                pause = min(pause * 2, 5)
            except (MetaException, TApplicationException) as error:
                raise DaysliceError(f"the Hive metastore {self.uri} refused: {error.message}") from None


def _by_names(client: Any, table: Table, names: list[str]) -> list[Any]:
    found: list[Any] = client.get_partitions_by_names(*_names(table), names)
    return found


def _row(partition: Any) -> Row:
    return Row(tuple(partition.values), str(partition.sd.location), partition.parameters or {}, partition)


def _partition_name(values: Sequence[str]) -> str:
    """As Hive names one of a table of slices, or of a journal."""
    return "/".join(f"{key}={value}" for key, value in zip(KEYS, values, strict=False))


def _names(table: Table) -> tuple[str, str]:
    return table.schema, table.name


def _open(uri: str, timeout_seconds: float) -> Any:
    failure: Exception = UsageError(f"metastore_uri {uri!r} names no host and port: write thrift://host:9083")
    for one in uri.split(","):
        parts = urlsplit(one.strip())
        if parts.scheme != "thrift" or not parts.hostname:
            raise UsageError(f"metastore_uri {one!r} is not thrift://host:port")
        connection = TSocket(parts.hostname, parts.port or 9083)
        connection.setTimeout(min(_CONNECT_SECONDS, timeout_seconds) * 1000)
        transport = TBufferedTransport(connection)
        try:
            transport.open()
            connection.setTimeout(timeout_seconds * 1000)
            return transport
        except (OSError, TTransportException) as error:
            failure = error
    raise failure
