"""Imports on Trino: landed files are partitions of a table of texts, under a view that decodes and casts.

`erp.flights` is the view; the table is `erp.flights__landed` (see `dayslice.metastore.partitions.LANDED`). It is a
Hive TEXTFILE table: tab-separated, `\\N` for NULL, one header line, which is what lands. Its columns are found by their
place, so new ones are only ever added last.
"""

import json
from collections.abc import Sequence
from typing import Any

import trino

from dayslice.engines.landed_csv import PADDING, Columns, columns_of, literal, quoted
from dayslice.engines.reading import view_types
from dayslice.engines.trino_client import connect
from dayslice.errors import Refused
from dayslice.metastore.choice import open_catalog
from dayslice.metastore.interface import Catalog
from dayslice.metastore.journal import VIEW
from dayslice.metastore.partitions import LANDED
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name, table_location
from dayslice.rules.decoding import Decoding
from dayslice.rules.slices import Slice, Table, Version
from dayslice_importers.engines.duckdb import shown
from dayslice_importers.source_errors import shows_values

# What DuckDB's types, which receipts hold, are called here.
_TYPES = {
    "timestamp": "timestamp(6)",
    "timestamptz": "timestamp(6) with time zone",
    "time": "time(6)",
    "blob": "varbinary",
}


def decoded(name: str, type: str, decoding: str) -> str:
    """A column's value from its landed text; `type` as a receipt has it.

    NUL cannot occur in PostgreSQL's text, so it keeps backslashes apart.
    """
    column = quoted(name)
    if decoding == Decoding.TEXT.value:
        undone = f"replace({column}, '\\\\', chr(0))"
        for escape, character in (("n", 10), ("t", 9), ("r", 13), ("b", 8), ("f", 12), ("v", 11)):
            undone = f"replace({undone}, '\\{escape}', chr({character}))"
        column = f"if(strpos({column}, '\\') > 0, replace({undone}, chr(0), '\\'), {column})"
    elif decoding == Decoding.HEX.value:
        # COPY writes \\x and digits: three characters before the first digit.
        return f"from_hex(substr({column}, 4))"
    elif decoding == Decoding.ERA.value:
        # The year before 1 is 0 here, and 1 BC there.
        year = f"lpad(cast(cast(split_part({column}, '-', 1) as integer) - 1 as varchar), 4, '0')"
        rest = f"substr({column}, strpos({column}, '-'), length({column}) - strpos({column}, '-') - 2)"
        column = f"if({column} like '% BC', '-' || {year} || {rest}, {column})"
    if type == "varchar":
        return column
    if type == "timestamptz":
        # Imports read in UTC, so that each ends with +00.
        return f"with_timezone(cast(regexp_replace({column}, '\\+00$') as timestamp(6)), 'UTC')"
    return f"cast({column} as {_TYPES.get(type, type)})"


def view_columns(schemas: Sequence[Columns]) -> list[str]:
    """The typed columns of a view over versions with these columns, the newest version's first."""
    types = view_types(schemas)
    names: dict[str, set[tuple[str, str]]] = {}
    for columns in schemas:
        for name, _, _, kind, decoding in columns:
            names.setdefault(name, set()).add((kind, decoding))
    return [f"{_value(name, types[name], seen)} as {quoted(name)}" for name, seen in names.items()]


def _value(name: str, type: str, seen: set[tuple[str, str]]) -> str:
    if len(seen) == 1:
        ((kind, decoding),) = seen
        return decoded(name, kind, decoding)
    if any(decoding == Decoding.HEX.value for _, decoding in seen):
        raise Refused(
            f"column {name} changed from or to bytea, which cannot be one column on Trino: give it a new name"
        )
    # To undo escapes where there can be none changes nothing.
    text = any(decoding == Decoding.TEXT.value for _, decoding in seen)
    return decoded(name, type, Decoding.TEXT.value if text else next(iter(seen))[1])


class TrinoEngine:
    """See `importers.engines.interface.Engine`. Each call has a connection of its own."""

    def __init__(self, credentials: Any):
        self.credentials = credentials

    counts_files = False

    def check(self) -> None:
        """Whose a warehouse on Trino is, its catalog says."""

    def count_file(self, file: str, columns: Columns, longest: int, into: str | None) -> int | None:
        """It cannot: see `counts_files`."""
        return None

    def count(self, version: Version, columnar: bool) -> int:
        """The rows that Trino reads of a staged version, every value cast. Raises Refused for one that fails."""
        columns = columns_of(version)
        cast = [column for column in columns if column[3] != "varchar"]
        staged = Table(STAGING_SCHEMA, stage_name(version.slice, version.id))
        with connect(self.credentials) as connection:
            make_schema(connection, STAGING_SCHEMA)
            _run(connection, _create_table(staged, raw_names(columns), version.location, partitioned=False))
            try:
                values = [f"count({decoded(name, kind, decoding)})" for name, _, _, kind, decoding in cast]
                (found,) = _run(connection, f"select {', '.join(['count(*)', *values])} from {_name(staged)}")
            except trino.exceptions.TrinoQueryError as error:
                raise self._culprit(connection, version, staged, cast, error) from None
            finally:
                with open_catalog(self.credentials) as catalog:
                    catalog.drop_table(staged)
        return int(found[0])

    def publish(self, version: Version) -> list[Version]:
        """Publish a version by one call to the metastore, under views that hold its columns.

        Nothing is dropped: a running query may read what was published before. `dayslice retain` does it later. The
        views name their columns, and each reads the table of texts itself, so that none is stale for a moment: first
        the table has the new columns, then the view, then they are published, then the latest view has them. One
        import of a table at a time does this, so that views move forward only.
        """
        table = version.slice.table
        landed = Table(table.schema, table.name + LANDED)
        with open_catalog(self.credentials) as catalog, connect(self.credentials) as connection:
            make_schema(connection, table.schema)
            self._fit_table(connection, catalog, version)
            with catalog.turn(Slice(table, VIEW)):
                newest = [version, *sorted(catalog.published(table).values(), key=lambda each: each.id, reverse=True)]
                schemas = [json.loads(each) for each in dict.fromkeys(v.receipt.more["columns"] for v in newest)]
                shown = f"as select {', '.join(view_columns(schemas))}, ds from {_name(landed)}"
                _run(connection, f"create or replace view {_name(table)} {shown}")
                catalog.publish(version)
                newest_ds = literal(max(catalog.published_ds(table)))
                latest = Table(table.schema, f"{table.name}_latest")
                _run(connection, f"create or replace view {_name(latest)} {shown} where ds = {newest_ds}")
        return []

    def _fit_table(self, connection: Any, catalog: Catalog, version: Version) -> None:
        """Make the table of texts, or give it the version's new columns. Raises Refused where places differ."""
        table = version.slice.table
        landed = Table(table.schema, table.name + LANDED)
        wanted = raw_names(columns_of(version))
        known = catalog.columns(landed)
        if not known:
            location = table_location(self.credentials.warehouse, table)
            _run_once(connection, _create_table(landed, wanted, location, partitioned=True))
            known = catalog.columns(landed)
        if known[: len(wanted)] != wanted[: len(known)]:
            raise Refused(
                f"{version.slice}: its columns ({', '.join(wanted)}) are not those of the slices before, in their "
                f"order ({', '.join(known)}), and Trino finds a landed column by its place; nothing was published"
            )
        for name in wanted[len(known) :]:
            _run_once(connection, f"alter table {_name(landed)} add column {quoted(name)} varchar")

    def _culprit(self, connection: Any, version: Version, staged: Table, cast: Columns, error: Any) -> Refused:
        """Which column cannot be read, with one example of its landed text."""
        for name, _, declared, kind, decoding in cast:
            value = decoded(name, kind, decoding)
            try:
                _run(connection, f"select count({value}) from {_name(staged)}")
                continue
            except trino.exceptions.TrinoQueryError as failed:
                found = f"a value ({failed.message})" if shows_values() else shown("")
            # Not every failure of a cast is one that `try` catches; then there is no example.
            example = _run(
                connection,
                f"select {quoted(name)} from {_name(staged)} where {quoted(name)} is not null "
                f"and try({value}) is null limit 1",
            )
            if example:
                found = shown(example[0][0])
            return Refused(
                f"{version.slice}: column {name} ({declared}) has {found}, which no {_TYPES.get(kind, kind)} on "
                f"Trino holds; nothing was published. Carry it as text (types: {{{name}: text}}), or leave such "
                "rows out (row_filter)"
            )
        said = error.message if shows_values() else f"{error.error_name} (--show-values shows what Trino said)"
        return Refused(f"{version.slice}: the landed files cannot be read: {said}")


def texts_of_version(version: Version, place: Table) -> tuple[str, str]:
    """The statement that makes a table of texts over one version's files, and the SELECT of its typed columns."""
    columns = columns_of(version)
    create = _create_table(place, raw_names(columns), version.location, partitioned=False)
    return create, f"select {', '.join(view_columns([columns]))} from {_name(place)}"


def raw_names(columns: Columns) -> list[str]:
    """The columns of the table of texts."""
    return [*(column[0] for column in columns), *([PADDING] if len(columns) == 1 else [])]


def _create_table(table: Table, names: Sequence[str], location: str, partitioned: bool) -> str:
    columns = [f"{quoted(name)} varchar" for name in names] + (["ds varchar"] if partitioned else [])
    return (
        f"create table if not exists {_name(table)} ({', '.join(columns)}) with ("
        f"external_location = {literal(location)}, format = 'TEXTFILE', skip_header_line_count = 1, "
        "textfile_field_separator = U&'\\0009', null_format = '\\N'"
        + (", partitioned_by = array['ds'])" if partitioned else ")")
    )


def make_schema(connection: Any, name: str) -> None:
    """Make a schema unless it is there. Of two that make it at once, Trino refuses one, in spite of `if not exists`."""
    _run_once(connection, f"create schema if not exists {quoted(name)}")


def _name(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _run_once(connection: Any, sql: str) -> None:
    """Run a DDL statement that another import may run at this moment: what is there already is fine."""
    try:
        _run(connection, sql)
    except trino.exceptions.TrinoQueryError as error:
        if "already exists" not in error.message.lower() and not str(error.error_name).endswith("ALREADY_EXISTS"):
            raise


def _run(connection: Any, sql: str) -> list[Any]:
    rows: list[Any] = connection.cursor().execute(sql).fetchall()
    return rows
