"""AWS Glue's data catalog as the metastore: one call publishes a slice. Credentials and region are boto3's own."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dayslice.errors import DaysliceError, Transient
from dayslice.metastore.partitioned import Partitioned
from dayslice.metastore.partitions import all_versions, partition_parameters, published_version
from dayslice.rules.file_layout import FileLayout
from dayslice.rules.slices import Slice, Table, Version

# Glue's limits for one request.
_GET_AT_MOST = 1000
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

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The published versions of a table, by ds: those of `ds` that exist, or all."""
        partitions = self._all_partitions(table) if ds is None else self._partitions(table, sorted(set(ds)))
        found = (_published(table, partition) for partition in partitions)
        return {version.slice.ds: version for version in found}

    def published_ds(self, table: Table) -> list[str]:
        """Every published ds of a table, oldest first."""
        return sorted(partition["Values"][0] for partition in self._all_partitions(table))

    def versions(self, slice: Slice) -> list[Version]:
        """All kept versions of a slice, newest first."""
        partition = self._partition(slice)
        return [] if partition is None else _versions(slice, partition)

    def history(self, table: Table) -> dict[str, list[Version]]:
        """The kept versions of all slices of a table, by ds, each list newest first."""
        found = ((Slice(table, each["Values"][0]), each) for each in self._all_partitions(table))
        return {slice.ds: _versions(slice, partition) for slice, partition in found}

    def forget(self, version: Version) -> None:
        """Forget a kept version; of a published one, remove its slice from the table. Files stay."""
        partition = self._partition(version.slice)
        if partition is None:
            return
        shown = _published(version.slice.table, partition)
        if shown.id == version.id:
            self._call("delete_partition", version.slice.table, PartitionValues=[version.slice.ds])
            return
        known = _versions(version.slice, partition)
        left = [each for each in known if each.id != version.id]
        if left != known:
            self._update(partition, shown, partition_parameters(shown, left))

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

    def columns(self, table: Table) -> list[str]:
        """The names of a table's columns in lower case, less partition keys; [] if there is no such table."""
        found = self._table(table)
        return [] if found is None else [column["Name"].lower() for column in found["StorageDescriptor"]["Columns"]]

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

    def _create(self, version: Version) -> None:
        table = self._table(self._holder(version.slice.table))
        if table is None:
            raise DaysliceError(
                f"{version.slice.table} is not in Glue's catalog, so {version.slice} cannot be published"
            )
        place = _place(table["StorageDescriptor"], version.location)
        partition = {
            "Values": [version.slice.ds],
            "StorageDescriptor": place,
            "Parameters": partition_parameters(version, []),
        }
        self._call("create_partition", version.slice.table, PartitionInput=partition)

    def _replace(self, existing: Mapping[str, Any], version: Version) -> None:
        self._update(existing, version, partition_parameters(version, _versions(version.slice, existing)))

    def _update(self, existing: Mapping[str, Any], version: Version, parameters: dict[str, str]) -> None:
        partition = {
            "Values": [version.slice.ds],
            "StorageDescriptor": _place(existing["StorageDescriptor"], version.location),
            "Parameters": parameters,
        }
        self._call(
            "update_partition",
            version.slice.table,
            PartitionValueList=[version.slice.ds],
            PartitionInput=partition,
        )

    def _table(self, table: Table) -> Any:
        try:
            return self.client.get_table(DatabaseName=table.schema, Name=table.name, **self.catalog)["Table"]
        except self.client.exceptions.EntityNotFoundException:
            return None

    def _partition(self, slice: Slice) -> Any:
        return next(self._partitions(slice.table, [slice.ds]), None)

    def _partitions(self, table: Table, ds: list[str]) -> Iterator[Any]:
        for start in range(0, len(ds), _GET_AT_MOST):
            wanted = [{"Values": [each]} for each in ds[start : start + _GET_AT_MOST]]
            while wanted:
                try:
                    got = self._call("batch_get_partition", table, PartitionsToGet=wanted)
                except self.client.exceptions.EntityNotFoundException:
                    return
                yield from got["Partitions"]
                wanted = got.get("UnprocessedKeys") or []

    def _all_partitions(self, table: Table) -> Iterator[Any]:
        holder = self._holder(table)
        pages = self.client.get_paginator("get_partitions").paginate(
            DatabaseName=holder.schema, TableName=holder.name, ExcludeColumnSchema=True, **self.catalog
        )
        try:
            for page in pages:
                yield from page["Partitions"]
        except self.client.exceptions.EntityNotFoundException:
            return

    def _call(self, method: str, table: Table, **arguments: Any) -> Any:
        holder = self._holder(table)
        try:
            return getattr(self.client, method)(
                DatabaseName=holder.schema, TableName=holder.name, **self.catalog, **arguments
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _TRANSIENT:
                raise Transient(f"Glue could not {method} of {table}: {error}") from None
            if error.response["Error"]["Code"] in ("AlreadyExistsException", "EntityNotFoundException"):
                raise
            raise DaysliceError(f"Glue refused to {method} of {table}: {error}") from None
        except BotoCoreError as error:
            raise Transient(f"Glue does not answer: {error}") from None


def _place(descriptor: Mapping[str, Any], location: str) -> dict[str, Any]:
    return {**{key: descriptor[key] for key in _PLACE if key in descriptor}, "Location": location}


def _published(table: Table, partition: Mapping[str, Any]) -> Version:
    place = Slice(table, partition["Values"][0])
    return published_version(place, partition["StorageDescriptor"]["Location"], partition.get("Parameters") or {})


def _versions(slice: Slice, partition: Mapping[str, Any]) -> list[Version]:
    return all_versions(slice, partition["StorageDescriptor"]["Location"], partition.get("Parameters") or {})
