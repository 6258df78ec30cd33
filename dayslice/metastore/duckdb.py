"""The local target's metastore: one table in the warehouse's own DuckDB file.

It lies beside the data so that a slice and its record change in one transaction. All methods run in the transaction
that the caller's connection is in, if it is in one.
"""

from collections.abc import Collection

import duckdb

from dayslice.rules.slices import Receipt, Slice, Table, Version

SCHEMA = "_dayslice"

# No primary key: DuckDB refuses to change a keyed row twice in one transaction; publish() keeps rows unique.
DDL = f"""
create schema if not exists {SCHEMA};
create schema if not exists _staged;
create table if not exists {SCHEMA}.versions (
    table_schema varchar not null,
    table_name varchar not null,
    ds varchar not null,
    version varchar not null,
    location varchar not null,
    receipt varchar not null,
    published boolean not null,
    sequence bigint not null
)
"""


class DuckDBMetastore:
    """See `dayslice.metastore.interface.Metastore`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, read_only: bool = False):
        self.connection = connection
        if not read_only:
            connection.execute(DDL)

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The published versions of a table, by ds: those of `ds` that exist, or all."""
        found = self._versions("table_schema = ? and table_name = ? and published", [table.schema, table.name])
        return {v.slice.ds: v for v in found if ds is None or v.slice.ds in ds}

    def published_ds(self, table: Table) -> list[str]:
        """Every published ds of a table, oldest first."""
        return sorted(self.published(table))

    def publish(self, version: Version) -> None:
        """Make this version the published one of its slice. Atomic if the caller is in a transaction."""
        s = version.slice
        key = [s.table.schema, s.table.name, s.ds]
        where = "table_schema = ? and table_name = ? and ds = ?"
        numbers = self.connection.execute(
            "select max(sequence) filter (version = ?), coalesce(max(sequence), 0) + 1 "
            f"from {SCHEMA}.versions where {where}",
            [version.id, *key],
        ).fetchone()
        known, following = numbers or (None, 1)
        # A version without files of its own (a model's rows) is gone once it is replaced: nothing is kept of it.
        self.connection.execute(
            f"delete from {SCHEMA}.versions where {where} and (version = ? or location = '')", [*key, version.id]
        )
        self.connection.execute(f"update {SCHEMA}.versions set published = false where {where}", key)
        self.connection.execute(
            f"insert into {SCHEMA}.versions values (?, ?, ?, ?, ?, ?, true, ?)",
            [*key, version.id, version.location, version.receipt.to_json(), known or following],
        )

    def versions(self, slice: Slice) -> list[Version]:
        """All kept versions of a slice, newest first."""
        where = "table_schema = ? and table_name = ? and ds = ?"
        found = self._versions(where, [slice.table.schema, slice.table.name, slice.ds])
        return sorted(found, key=lambda v: v.age, reverse=True)

    def history(self, table: Table) -> dict[str, list[Version]]:
        """The kept versions of all slices of a table, by ds, each list newest first."""
        found: dict[str, list[Version]] = {}
        for version in reversed(self._versions("table_schema = ? and table_name = ?", [table.schema, table.name])):
            found.setdefault(version.slice.ds, []).append(version)
        return dict(sorted(found.items()))

    def forget(self, version: Version) -> None:
        """Forget a kept version. One that is published stays."""
        s = version.slice
        self.connection.execute(
            f"delete from {SCHEMA}.versions "
            "where table_schema = ? and table_name = ? and ds = ? and version = ? and not published",
            [s.table.schema, s.table.name, s.ds, version.id],
        )

    def unpublish(self, version: Version) -> bool:
        """Remove a slice if this version is still published. A model's rows are the caller's, in one transaction."""
        s = version.slice
        stands = self.published(s.table, [s.ds]).get(s.ds)
        if stands is None or stands.id != version.id:
            return False
        self.connection.execute(
            f"delete from {SCHEMA}.versions where table_schema = ? and table_name = ? and ds = ?",
            [s.table.schema, s.table.name, s.ds],
        )
        return True

    def _versions(self, where: str, values: list[str]) -> list[Version]:
        try:
            rows = self.connection.execute(
                "select table_schema, table_name, ds, version, receipt, location, sequence "
                f"from {SCHEMA}.versions where {where} order by ds, sequence",
                values,
            ).fetchall()
        except duckdb.CatalogException:  # nothing was ever published in this file
            return []
        return [
            Version(Slice(Table(schema, name), ds), version, Receipt.from_json(receipt), location, sequence)
            for schema, name, ds, version, receipt, location, sequence in rows
        ]
