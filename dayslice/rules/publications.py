"""A publication, as programs outside are told of it. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dayslice.rules.receipts import fingerprint_of, is_import
from dayslice.rules.slices import Receipt, Table, Version


@dataclass(frozen=True)
class Naming:
    """What a database and its tables are called outside, by OpenLineage's rules for names.

    `namespace`: `trino://host:port`, `postgres://host:port`, `duckdb:///path/of/the/file`. It holds no login.
    """

    namespace: str
    database: str

    def name_of(self, table: Table) -> str:
        """`catalog.schema.table`."""
        return f"{self.database}.{table.schema}.{table.name}"


@dataclass(frozen=True)
class Source:
    """What an import read: a table of a database outside, as OpenLineage calls it."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Publication:
    """One version that is published. `columns`: names and types, '' where they are not known, without the ds.

    `is_again`: a rollback published it, with the receipt that it had.
    """

    version: Version
    naming: Naming
    columns: tuple[tuple[str, str], ...] = ()
    source: Source | None = None
    is_again: bool = field(default=False)


def described(columns: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Columns as a macro holds them."""
    return tuple((str(each["name"]), str(each["type"])) for each in columns)


def columns_in(receipt: Receipt) -> tuple[tuple[str, str], ...]:
    """The columns that a receipt names. One of a model on Trino names them in its fingerprint, without types."""
    if "columns" in receipt.more:
        place = 3 if is_import(receipt) else 1
        return tuple((column[0], str(column[place])) for column in json.loads(receipt.more["columns"]))
    found = fingerprint_of(receipt)
    return tuple((name, "") for name in found.columns) if found else ()
