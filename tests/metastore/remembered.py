"""A service of partitions in memory, for the logic that Hive and Glue share: thousands of sequences in a minute."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dayslice.metastore.partitioned import Partitioned
from dayslice.metastore.partitions import Row
from dayslice.rules.slices import Table


class ThereAlready(Exception):
    """A partition is there, or is gone."""


class Remembered(Partitioned):
    """Creates only what is not there, alters without a condition: as Hive and Glue do."""

    raced = (ThereAlready,)
    named = "memory"

    def __init__(self, tables: dict[Table, dict[tuple[str, ...], Row]]):
        super().__init__()
        self.tables_of = tables

    def _table(self, table: Table) -> Any:
        return self.tables_of.get(table)

    def _location(self, table: Table) -> str:
        return f"memory://{table}"

    def _make_journal(self, journal: Table, like: Table) -> None:
        self.tables_of.setdefault(journal, {})

    def _make_list(self, table: Table, keys: Sequence[str], location: str) -> None:
        self.tables_of.setdefault(table, {})

    def _ds(self, table: Table) -> list[str]:
        return [values[0] for values in self.tables_of.get(table, {})]

    def _rows(self, table: Table, ds: str | None = None) -> Iterator[Row]:
        rows = self.tables_of.get(table, {})
        return iter([row for values, row in sorted(rows.items()) if ds in (None, values[0])])

    def _rows_of(self, table: Table, ds: list[str]) -> Iterator[Row]:
        return (row for row in self._rows(table) if row.values[0] in ds)

    def _add(self, table: Table, values: Sequence[str], location: str, parameters: Mapping[str, str], _=False) -> None:
        from dayslice.errors import DaysliceError  # noqa: PLC0415

        if table not in self.tables_of:
            raise DaysliceError(f"no table {table}")
        if tuple(values) in self.tables_of[table]:
            raise ThereAlready
        self.tables_of[table][tuple(values)] = Row(tuple(values), location, dict(parameters))

    def _alter(self, table: Table, row: Row, location: str, parameters: Mapping[str, str], _=False) -> None:
        if row.values not in self.tables_of[table]:
            raise ThereAlready
        self.tables_of[table][row.values] = Row(row.values, location, dict(parameters))

    def _drop(self, table: Table, values: Sequence[str]) -> None:
        self.tables_of.get(table, {}).pop(tuple(values), None)

    def _statistics(self, table: Table, values: Sequence[str]) -> list[Any]:
        return []

    def _write_statistics(self, table: Table, values: Sequence[str], statistics: list[Any]) -> None:
        pass

    def _erase_statistics(self, table: Table, row: Row) -> None:
        pass
