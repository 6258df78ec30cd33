"""AWS Glue's data catalog as the metastore: one call publishes a slice. Credentials and region are boto3's own."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dayslice.errors import DaysliceError, Transient
from dayslice.metastore.journal import KEYS
from dayslice.metastore.many import Altered, New
from dayslice.metastore.partitioned import Partitioned, kind_of
from dayslice.metastore.partitions import Row, is_own_column
from dayslice.rules.file_layout import ORC, FileLayout
from dayslice.rules.slices import Table

# Glue's limits for one request.
_GET_AT_MOST = 1000
_STATISTICS_AT_MOST = 100
_WRITTEN_AT_MOST = 25
_WRITTEN_TOGETHER = 100
_TRANSIENT = {"ConcurrentModificationException", "OperationTimeoutException", "InternalServiceException"}
_TABLE = ("Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType", "Parameters")
_FILES = ("Columns", "InputFormat", "OutputFormat", "Compressed", "SerdeInfo")
_PLACE = (*_FILES, "NumberOfBuckets", "BucketColumns", "SortColumns")


class GlueMetastore(Partitioned):
    """See `dayslice.metastore.interface.Metastore`. `catalog` is an account's id, by default the caller's own."""

    def __init__(self, catalog: str | None = None, client: Any = None):
        super().__init__()
        # boto3's standard retries cover throttling and a dropped connection; all calls here may be repeated.
        self.client = client or boto3.client(
            "glue", config=Config(retries={"mode": "standard", "total_max_attempts": 8})
        )
        self.catalog: dict[str, str] = {"CatalogId": catalog} if catalog else {}
        self.raced = (self.client.exceptions.AlreadyExistsException, self.client.exceptions.EntityNotFoundException)

    def __enter__(self) -> "GlueMetastore":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def tables(self, schema: str, prefix: str = "") -> list[str]:
        """The names of a schema's tables that begin with `prefix`. A schema unknown gives []."""
        found: list[str] = []
        try:
            for page in self.client.get_paginator("get_tables").paginate(DatabaseName=schema, **self.catalog):
                found += [table["Name"] for table in page["TableList"] if table["Name"].startswith(prefix)]
        except self.client.exceptions.EntityNotFoundException:
            return []
        return sorted(found)

    def location(self, table: Table) -> str | None:
        """Where a table lies, or None if there is no such table."""
        found = self._table(table)
        return None if found is None else str(found["StorageDescriptor"]["Location"])

    def default_location(self, table: Table) -> str | None:
        """Where a table lies that asks for no place of its own; None where its schema has none."""
        try:
            found = self.client.get_database(Name=table.schema, **self.catalog)["Database"].get("LocationUri")
        except self.client.exceptions.EntityNotFoundException:
            return None
        return f"{found.rstrip('/')}/{table.name}" if found else None

    def kind(self, table: Table) -> str | None:
        """`slices` for one that is partitioned by ds, `view`, or `table` for any other; None if there is none."""
        found = self._table(table)
        return found and kind_of(found.get("TableType", ""), [key["Name"] for key in found.get("PartitionKeys", [])])

    def columns(self, table: Table) -> list[str]:
        """The names of a table's columns in lower case, less partition keys; [] if there is no such table."""
        found = self._table(table)
        return [] if found is None else [column["Name"].lower() for column in found["StorageDescriptor"]["Columns"]]

    def column_types(self, table: Table) -> dict[str, str]:
        """The types of a table's columns as Glue writes them, by name in lower case, less partition keys."""
        found = self._table(table)
        columns = [] if found is None else found["StorageDescriptor"]["Columns"]
        return {column["Name"].lower(): column.get("Type", "") for column in columns}

    def layout(self, table: Table) -> FileLayout | None:
        """How a table's files are written, or None if there is no such table."""
        found = self._table(table)
        if found is None:
            return None
        place = found["StorageDescriptor"]
        order = [each["Column"] + ("" if each["SortOrder"] else " desc") for each in place.get("SortColumns", [])]
        buckets = place.get("BucketColumns", [])
        return FileLayout.stored(place.get("OutputFormat", ""), buckets, place.get("NumberOfBuckets", -1), order)

    def drop_table(self, table: Table) -> None:
        """Drop an external table; its files stay. None there is no error."""
        with contextlib.suppress(self.client.exceptions.EntityNotFoundException):
            self.client.delete_table(DatabaseName=table.schema, Name=table.name, **self.catalog)

    def replace_content(self, table: Table, staged: Table) -> None:
        """Make a table without slices show what a staged one holds, columns and files, in one call."""
        shown, new = self._table(table), self._table(staged)
        if new is None:
            raise DaysliceError(f"{staged} is not in Glue's catalog")
        entry = {key: (shown or new)[key] for key in _TABLE if key in (shown or new)}
        entry.update(Name=table.name, StorageDescriptor=new["StorageDescriptor"])
        write = self.client.create_table if shown is None else self.client.update_table
        write(DatabaseName=table.schema, TableInput=entry, **self.catalog)

    @property
    def named(self) -> str:
        """What a message calls it."""
        return "Glue's catalog"

    def _table(self, table: Table) -> Any:
        try:
            return self.client.get_table(DatabaseName=table.schema, Name=table.name, **self.catalog)["Table"]
        except self.client.exceptions.EntityNotFoundException:
            return None

    def _parent(self, table: Table) -> Any:
        found = self._table(table)
        if found is None:
            raise DaysliceError(f"{table} is not in {self.named}")
        return found

    def _location(self, table: Table) -> str:
        return str(self._parent(table)["StorageDescriptor"]["Location"])

    def _make_journal(self, journal: Table, like: Table) -> None:
        place = self._parent(like)["StorageDescriptor"]
        self._make_partitioned(journal, KEYS, _place(place, f"{place['Location']}/_journal"))

    def _make_list(self, table: Table, keys: Sequence[str], location: str) -> None:
        files = {
            "Columns": [{"Name": "nothing", "Type": "string"}],
            "InputFormat": ORC.input,
            "OutputFormat": ORC.output,
            "SerdeInfo": {"SerializationLibrary": ORC.serde},
        }
        self._make_partitioned(table, keys, {**files, "Location": location})

    def _make_partitioned(self, table: Table, keys: Sequence[str], files: Mapping[str, Any]) -> None:
        entry = {
            "Name": table.name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE"},
            "PartitionKeys": [{"Name": name, "Type": "string"} for name in keys],
            "StorageDescriptor": files,
        }
        exists = self.client.exceptions.AlreadyExistsException
        with contextlib.suppress(exists):
            self._request("create_database", DatabaseInput={"Name": table.schema})
        with contextlib.suppress(exists):
            self._request("create_table", DatabaseName=table.schema, TableInput=entry)

    def _ds(self, table: Table) -> list[str]:
        return [row.values[0] for row in self._rows(table)]

    def _rows(self, table: Table, ds: str | None = None) -> Iterator[Row]:
        return self._pages(table, {} if ds is None else {"Expression": f"ds = '{ds}'"})

    def _rows_between(self, table: Table, first: str, last: str) -> Iterator[Row]:
        return self._pages(table, {"Expression": f"ds >= '{first}' and ds <= '{last}'"})

    def _session(self) -> AbstractContextManager["GlueMetastore"]:
        return nullcontext(self)  # boto3's client is for any number of threads

    def _pages(self, table: Table, only: Mapping[str, str]) -> Iterator[Row]:
        more: dict[str, str] = {}
        while True:
            try:
                page = self._call("get_partitions", table, ExcludeColumnSchema=True, **only, **more)
            except self.client.exceptions.EntityNotFoundException:
                return
            yield from map(_row, page["Partitions"])
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _rows_of(self, table: Table, ds: list[str]) -> Iterator[Row]:
        for start in range(0, len(ds), _GET_AT_MOST):
            wanted = [{"Values": [each]} for each in ds[start : start + _GET_AT_MOST]]
            while wanted:
                try:
                    got = self._call("batch_get_partition", table, PartitionsToGet=wanted)
                except self.client.exceptions.EntityNotFoundException:
                    return
                yield from map(_row, got["Partitions"])
                wanted = got.get("UnprocessedKeys") or []

    def _add(
        self,
        table: Table,
        values: Sequence[str],
        location: str,
        parameters: Mapping[str, str],
        is_orc: bool = False,
    ) -> None:
        partition = self._partition(table, values, location, parameters, is_orc)
        self._call("create_partition", table, PartitionInput=partition)

    def _alter(
        self, table: Table, row: Row, location: str, parameters: Mapping[str, str], is_orc: bool = False
    ) -> None:
        partition = self._partition(table, row.values, location, parameters, is_orc)
        self._call("update_partition", table, PartitionValueList=list(row.values), PartitionInput=partition)

    def _add_many(self, table: Table, new: Sequence[New]) -> None:
        entries = [self._partition(table, *each) for each in new]
        for start in range(0, len(entries), _WRITTEN_TOGETHER):
            some = entries[start : start + _WRITTEN_TOGETHER]
            self._checked(self._call("batch_create_partition", table, PartitionInputList=some))

    def _alter_many(self, table: Table, altered: Sequence[Altered]) -> None:
        entries = [
            {
                "PartitionValueList": list(row.values),
                "PartitionInput": self._partition(table, row.values, location, parameters),
            }
            for row, location, parameters in altered
        ]
        for start in range(0, len(entries), _WRITTEN_TOGETHER):
            some = entries[start : start + _WRITTEN_TOGETHER]
            self._checked(self._call("batch_update_partition", table, Entries=some))

    @staticmethod
    def _checked(answer: Mapping[str, Any]) -> None:
        """Glue carries out what it can of a batch, and says of the rest why not."""
        if failed := answer.get("Errors"):
            first = failed[0]
            values = first.get("PartitionValues") or first.get("PartitionValueList") or []
            why = first.get("ErrorDetail", {}).get("ErrorMessage", "")
            raise Transient(
                f"Glue changed all but {len(failed)} partitions of a batch, the first of them {'/'.join(values)}: "
                f"{why}; run it again"
            )

    def _drop(self, table: Table, values: Sequence[str]) -> None:
        with contextlib.suppress(self.client.exceptions.EntityNotFoundException):
            self._call("delete_partition", table, PartitionValues=list(values))

    def _partition(
        self,
        table: Table,
        values: Sequence[str],
        location: str,
        parameters: Mapping[str, str],
        is_orc: bool = False,
    ) -> dict[str, Any]:
        place = _place(self._parent(table)["StorageDescriptor"], location)
        place["Columns"] = [column for column in place.get("Columns", []) if is_own_column(table, column["Name"])]
        if is_orc:
            place["InputFormat"], place["OutputFormat"] = ORC.input, ORC.output
            place["SerdeInfo"] = {"SerializationLibrary": ORC.serde}
        return {"Values": list(values), "StorageDescriptor": place, "Parameters": dict(parameters)}

    def _statistics(self, table: Table, values: Sequence[str]) -> list[Any]:
        columns = [column["Name"] for column in self._parent(table)["StorageDescriptor"]["Columns"]]
        found: list[Any] = []
        for start in range(0, len(columns), _STATISTICS_AT_MOST):
            some = columns[start : start + _STATISTICS_AT_MOST]
            if values:
                of = {"PartitionValues": list(values)}
                got = self._call("get_column_statistics_for_partition", table, ColumnNames=some, **of)
            else:
                got = self._call("get_column_statistics_for_table", table, ColumnNames=some)
            found += got["ColumnStatisticsList"]
        return found

    def _write_statistics(self, table: Table, values: Sequence[str], statistics: list[Any]) -> None:
        columns = {column["Name"].lower() for column in self._parent(table)["StorageDescriptor"]["Columns"]}
        noted = [each for each in statistics if each["ColumnName"].lower() in columns]
        of = {"PartitionValues": list(values)}
        for start in range(0, len(noted), _WRITTEN_AT_MOST):
            some = noted[start : start + _WRITTEN_AT_MOST]
            self._call("update_column_statistics_for_partition", table, ColumnStatisticsList=some, **of)
        for name in {each["ColumnName"] for each in self._statistics(table, values)} - {n["ColumnName"] for n in noted}:
            with contextlib.suppress(self.client.exceptions.EntityNotFoundException):
                self._call("delete_column_statistics_for_partition", table, ColumnName=name, **of)

    def _erase_statistics(self, table: Table, row: Row) -> None:
        """Glue deletes one column's in a call: `_write_statistics` deletes those that it has no new ones for."""

    def _call(self, method: str, table: Table, **arguments: Any) -> Any:
        return self._request(method, DatabaseName=table.schema, TableName=table.name, **arguments)

    def _request(self, method: str, **arguments: Any) -> Any:
        """One request, its failure as one of ours; that something is there, or is not, is the caller's to judge."""
        about = arguments.get("TableName") or arguments.get("TableInput", {}).get("Name") or "the catalog"
        try:
            return getattr(self.client, method)(**self.catalog, **arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _TRANSIENT:
                raise Transient(f"Glue could not {method} of {about}: {error}") from None
            if code in ("AlreadyExistsException", "EntityNotFoundException"):
                raise
            raise DaysliceError(f"Glue refused to {method} of {about}: {error}") from None
        except BotoCoreError as error:
            raise Transient(f"Glue does not answer: {error}") from None


def _place(descriptor: Mapping[str, Any], location: str) -> dict[str, Any]:
    return {**{key: descriptor[key] for key in _PLACE if key in descriptor}, "Location": location}


def _row(partition: Mapping[str, Any]) -> Row:
    place = partition["StorageDescriptor"]
    return Row(tuple(partition["Values"]), place["Location"], partition.get("Parameters") or {}, partition)
