"""The rows of single versions, published or kept, as relations of one engine: what `diff` compares."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from dayslice.engines.embedded import engine
from dayslice.engines.reading import select_versions, table_types
from dayslice.engines.target import Target
from dayslice.errors import Refused, UsageError
from dayslice.metastore.choice import open_catalog
from dayslice.metastore.integrity import check_sizes
from dayslice.metastore.places import misplaced
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name
from dayslice.rules.diff_queries import quoted, repeated_keys
from dayslice.rules.receipts import fingerprint_of
from dayslice.rules.slices import Slice, Table, Version, new_version_id
from dayslice.store.duckdb_s3 import read_s3

_WHOLE = re.compile("U?(TINY|SMALL|BIG)?INT(EGER)?")
_BITS_A_ROW = 16


class VersionRows(Protocol):
    """One engine, with versions as relations."""

    distinct: str
    """The engine's aggregate of distinct values."""

    def relation(self, version: Version, is_import: bool) -> str:
        """What stands in a FROM for a version's rows."""
        ...

    def types(self, relation: str) -> dict[str, str]:
        """The columns of a relation but ds, in lower case, as the engine names their types."""
        ...

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """The rows of a query."""
        ...

    def repeated(self, relation: str, key: Sequence[str]) -> int:
        """How many keys are null or stand in several rows."""
        ...


@contextmanager
def open_rows(targets: Sequence[Target]) -> Iterator[VersionRows]:
    """The engine of these targets. Raises UsageError for targets of two engines."""
    if len({target.type for target in targets}) > 1:
        raise UsageError(
            f"{targets[0].name} and {targets[1].name} are targets of two engines ({targets[0].type} and "
            f"{targets[1].type}): only one engine can compare them"
        )
    with ExitStack() as stack:
        if targets[0].is_local:
            connection = stack.enter_context(engine(targets[0].home, targets[0].warehouse))
            for each in targets[1:]:
                read_s3(connection, each.warehouse)
            yield LocalRows(connection)
        else:
            yield stack.enter_context(_trino(targets[0]))


class LocalRows:
    """DuckDB over a version's own files."""

    distinct = "approx_count_distinct"

    def __init__(self, connection: Any):
        self.connection = connection

    def relation(self, version: Version, is_import: bool) -> str:
        """A scan of its files; damaged ones are refused."""
        check_sizes([version])
        return f"({select_versions([version], table_types([version.receipt.more['columns']]))})"

    def types(self, relation: str) -> dict[str, str]:
        """As DuckDB describes it."""
        described = self.connection.execute(f"describe select * from {relation} as t").fetchall()
        return {row[0].lower(): row[1] for row in described if row[0] != "ds"}

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """The rows of a query."""
        found: list[Sequence[Any]] = self.connection.execute(sql).fetchall()
        return found

    def repeated(self, relation: str, key: Sequence[str]) -> int:
        """A bit for each number that there may be takes an eighth of the time that groups take."""
        if len(key) == 1 and _WHOLE.fullmatch(self.types(relation)[key[0].lower()]):
            name = quoted(key[0])
            [facts] = self.rows(f"select min({name}), max({name}), count(*), count({name}) from {relation} as t")
            least, greatest, rows, values = facts
            if rows == values and rows and greatest - least < _BITS_A_ROW * rows:
                bits = f"bit_count(bitstring_agg({name}, {least}, {greatest}))"
                if int(self.rows(f"select {bits} from {relation} as t")[0][0]) == rows:
                    return 0
        return int(self.rows(repeated_keys(relation, key))[0][0])


@contextmanager
def _trino(target: Target) -> Iterator["TrinoRows"]:
    from dayslice.engines.trino_client import connect  # noqa: PLC0415 - only for those who use it

    with connect(target.credentials) as connection, open_catalog(target.credentials) as catalog:
        rows = TrinoRows(connection, catalog)
        try:
            yield rows
        finally:
            rows.drop_made()


class TrinoRows:
    """Trino over external tables of their own, which are dropped at the end: any version is read the same way.

    They are named as stages are, so that `dayslice retain` sweeps up those of a run that was killed.
    """

    distinct = "approx_distinct"

    def __init__(self, connection: Any, catalog: Any):
        self.connection, self.catalog = connection, catalog
        self.made: list[Table] = []

    def relation(self, version: Version, is_import: bool) -> str:
        """A table over its files."""
        if version.id in self._staged(version.slice):
            return f"(select * from {quoted(STAGING_SCHEMA)}.{quoted(stage_name(version.slice, version.id))})"
        for problem in misplaced(version):
            raise Refused(f"{version.slice}: version {version.id} is not read: {problem}")
        place = Table(STAGING_SCHEMA, stage_name(version.slice, new_version_id()))
        name = f"{quoted(place.schema)}.{quoted(place.name)}"
        self.rows(f"create schema if not exists {quoted(place.schema)}")
        if is_import:
            from dayslice_importers.engines.trino_views import texts_of_version  # noqa: PLC0415 - the importers' own format

            create, select = texts_of_version(version, place)
        else:
            # The table has the columns of all its versions; what this one was written with, its receipt says.
            written = fingerprint_of(version.receipt)
            own = ", ".join(map(quoted, written.columns)) if written and written.columns else "*"
            create, select = self._typed(version, name), f"select {own} from {name}"
        self.rows(create)
        self.made.append(place)
        return f"({select})"

    def types(self, relation: str) -> dict[str, str]:
        """As Trino describes its output."""
        cursor = self.connection.cursor()
        cursor.execute(f"select * from {relation} as t limit 0")
        cursor.fetchall()
        return {each[0].lower(): each[1].replace(", ", ",") for each in cursor.description if each[0] != "ds"}

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """The rows of a query."""
        found: list[Sequence[Any]] = self.connection.cursor().execute(sql).fetchall()
        return found

    def drop_made(self) -> None:
        """Drop the tables of the relations that were made so far."""
        while self.made:
            self.catalog.drop_table(self.made[-1])
            self.made.pop()

    def _staged(self, slice: Slice) -> set[str]:
        """In a run that publishes together: what it has staged, whose tables stand as long as it lasts."""
        staged = getattr(self.catalog, "staged", None)
        return {each.id for each in staged(slice.table, [slice.ds]).values()} if staged else set()

    def repeated(self, relation: str, key: Sequence[str]) -> int:
        """By groups."""
        return int(self.rows(repeated_keys(relation, key))[0][0])

    def _typed(self, version: Version, name: str) -> str:
        """Columns are found by their names in the files; one that was added later is null."""
        table = version.slice.table
        layout = self.catalog.layout(table)
        if layout is None:
            raise Refused(f"{version.slice}: there is no table {table} on Trino, whose columns its version could have")
        return (
            f"create table {name} (like {quoted(table.schema)}.{quoted(table.name)}) "
            f"with (external_location = '{version.location}', format = '{layout.format}')"
        )
