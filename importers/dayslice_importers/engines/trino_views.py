"""What readers of an import on Trino see: partitions of one table, and the typed views over it.

`erp.flights` is the view; the table is `erp.flights__landed` (see `dayslice.metastore.partitions.LANDED`). A partition
of it is a slice, and shows one of two things: the typed columns, which are ORC and found by their names; or the CSV
itself (`columnar: false`, and where a column's type has changed since), which is a Hive TEXTFILE: tab-separated, `\\N`
for NULL, one header line, columns found by their places. So the texts come first, in the order in which they land.
Behind them are places for more, as Hive adds columns last only: a column that comes later gets the name of one.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import trino

from dayslice.engines.landed_csv import PADDING, Columns, columns_of, literal, quoted
from dayslice.engines.reading import has_columns, view_types
from dayslice.errors import Refused
from dayslice.metastore.interface import Catalog
from dayslice.metastore.journal import VIEW
from dayslice.metastore.partitions import LANDED, TYPED
from dayslice.metastore.stages import table_location
from dayslice.rules.slices import Slice, Table, Version
from dayslice_importers.engines.trino_values import (
    Shown,
    all_sources,
    stored_type,
    text_columns,
    typed_name,
    view_columns,
)

# A query that was planned by a view of before may open its files for so long after, in a way that it would misread.
PLANNED_SECONDS = 2.0
# How many columns may come after a table's first import that wrote typed ones.
PLACES = 64
_PLACE = f"later{TYPED}"


def publish(connection: Any, catalog: Catalog, warehouse: str, version: Version) -> None:
    """Publish a version by one call to the metastore, under views that hold its columns.

    Nothing is dropped: a running query may read what was published before. `dayslice retain` does it later. The
    views name their columns, and each reads the table itself, so that none is stale for a moment: first the table has
    the new columns, then the view, then they are published, then the latest view has them. One import of a table at a
    time does this, so that views move forward only.
    """
    table = version.slice.table
    make_schema(connection, table.schema)
    make_table(connection, catalog, warehouse, version)
    with catalog.turn(Slice(table, VIEW)):
        views = Views(connection, catalog, version)
        views.fit_table()
        views.show()
        catalog.publish(version, as_columns=views.new.as_columns)
        views.show_latest()


class Views:
    """The views of one table, as they are to be when `version` is published. Its turn is the caller's."""

    def __init__(self, connection: Any, catalog: Catalog, version: Version):
        self.connection, self.catalog = connection, catalog
        self.table = version.slice.table
        self.landed = landed_table(version)
        self.standing = sorted(catalog.published(self.table).values(), key=lambda each: each.id, reverse=True)
        self.types = view_types(_schemas([version, *self.standing]))
        self.new = replace(version, as_columns=has_columns(version, self.types))
        # Of these a column has become of a type that the typed files do not hold exactly: what landed does.
        self.retyped = [each for each in self.standing if each.as_columns and not has_columns(each, self.types)]
        changed = {each.slice.ds: replace(each, as_columns=False) for each in self.retyped}
        now = [changed.get(each.slice.ds, each) for each in self.standing]
        self.select = self._select(self.types, _shown([self.new, *now]))
        self.ahead = all_sources(_shown([self.new])) - all_sources(_shown(self.standing))

    def fit_table(self) -> None:
        """Give the table the version's new columns. Raises Refused where the places of texts differ."""
        wanted = raw_names(columns_of(self.new))
        known = self.catalog.columns(self.landed)
        texts = [name for name in known if TYPED not in name]
        if texts[: len(wanted)] != wanted[: len(texts)]:
            raise Refused(
                f"{self.new.slice}: its columns ({', '.join(wanted)}) are not those of the slices before, in their "
                f"order ({', '.join(texts)}), and Trino finds a landed column by its place; nothing was published"
            )
        free = [name for name in known if name.startswith(_PLACE)]
        for name in wanted[len(texts) :]:
            self._add_text(name, free, has_places=any(TYPED in each for each in known))
        if self.new.as_columns:
            for name, type in typed_columns(self.new, known).items():
                self._alter(f"add column {quoted(name)} {type}")

    def show(self) -> None:
        """Put the new view in place, and first let nobody be at what it shows otherwise than the one before."""
        if self.retyped:
            self._show_texts()
        self._put(self.table, self.select)
        if self.standing and self._is_misread():
            # The latest view goes with it: its slice may be the one that is replaced.
            self._put_latest(max(each.slice.ds for each in self.standing))
            time.sleep(PLANNED_SECONDS)

    def show_latest(self) -> None:
        """The latest view shows the newest slice that is published."""
        self._put_latest(max(self.catalog.published_ds(self.table)))

    def _is_misread(self) -> bool:
        """Whether a query of the view before would take a column of the new slice for null."""
        before = {column[0] for columns in _schemas(self.standing) for column in columns}
        return any(name in before for name, _ in self.ahead)

    def _show_texts(self) -> None:
        """Show the CSV of slices in place of their typed columns: the same values, by a view that reads both."""
        both = [*_shown(self.standing), *_shown([replace(each, as_columns=False) for each in self.retyped])]
        select = self._select(view_types(_schemas(self.standing)), both)
        self._put(self.table, select)
        newest = literal(max(each.slice.ds for each in self.standing))
        self._put(Table(self.table.schema, f"{self.table.name}_latest"), f"{select} where ds = {newest}")
        time.sleep(PLANNED_SECONDS)
        for each in self.retyped:
            self.catalog.publish(each)
        time.sleep(PLANNED_SECONDS)

    def _add_text(self, name: str, free: list[str], has_places: bool) -> None:
        if not has_places:
            self._alter(f"add column {quoted(name)} varchar")
        elif free:
            self._alter(f"rename column {quoted(free.pop(0))} to {quoted(name)}")
        else:
            raise Refused(
                f"{self.new.slice}: {PLACES} columns came to {self.table} after its first import, and Trino has no "
                f"place for {name}, so nothing was published: import the table under a new name"
            )

    def _alter(self, change: str) -> None:
        _run_once(self.connection, f"alter table {named(self.landed)} {change}")

    def _select(self, types: dict[str, str], shown: Sequence[Shown]) -> str:
        return f"select {', '.join(view_columns(types, shown))}, ds from {named(self.landed)}"

    def _put(self, view: Table, select: str) -> None:
        run(self.connection, f"create or replace view {named(view)} as {select}")

    def _put_latest(self, ds: str) -> None:
        self._put(Table(self.table.schema, f"{self.table.name}_latest"), f"{self.select} where ds = {literal(ds)}")


def make_table(connection: Any, catalog: Catalog, warehouse: str, version: Version) -> None:
    """Make the table that a version is published in, unless it is there."""
    landed = landed_table(version)
    if not catalog.columns(landed):
        location = table_location(warehouse, version.slice.table)
        typed = typed_columns(version, []) if "typed" in version.receipt.more else {}
        _run_once(connection, create_table(landed, raw_names(columns_of(version)), location, True, typed))


def landed_table(version: Version) -> Table:
    """The table whose partitions are the slices of an import."""
    table = version.slice.table
    return Table(table.schema, table.name + LANDED)


def typed_columns(version: Version, known: Sequence[str]) -> dict[str, str]:
    """The typed columns of a version that a table lacks, with their types, behind places for texts that come later."""
    wanted = {typed_name(name, kind): stored_type(kind) for name, _, _, kind, _ in columns_of(version)}
    has_some = any(TYPED in name for name in known)
    places = {} if has_some else {f"{_PLACE}{number:03}": "varchar" for number in range(PLACES)}
    return {**places, **{name: type for name, type in wanted.items() if name not in known}}


def _schemas(versions: Sequence[Version]) -> list[Columns]:
    """The columns of these versions, each once."""
    return [json.loads(each) for each in dict.fromkeys(v.receipt.more["columns"] for v in versions)]


def _shown(versions: Sequence[Version]) -> list[Shown]:
    """How these versions are shown, each way once. What has no rows is read in either way."""
    ways = dict.fromkeys((v.receipt.more["columns"], v.as_columns) for v in versions if v.receipt.rows or v.as_columns)
    return [Shown(json.loads(columns), as_columns) for columns, as_columns in ways]


def texts_of_version(version: Version, place: Table) -> tuple[str, str]:
    """The statement that makes a table of texts over one version's files, and the SELECT of its typed columns."""
    columns = columns_of(version)
    create = create_table(place, raw_names(columns), version.location, False, {})
    return create, f"select {', '.join(text_columns(columns))} from {named(place)}"


def raw_names(columns: Columns) -> list[str]:
    """The columns of texts, in the order in which they land."""
    return [*(column[0] for column in columns), *([PADDING] if len(columns) == 1 else [])]


def create_table(table: Table, texts: Sequence[str], location: str, is_partitioned: bool, typed: dict[str, str]) -> str:
    """The statement that makes a table over landed files; `typed` columns, with their types, come after the texts."""
    types = {**dict.fromkeys(texts, "varchar"), **typed, **({"ds": "varchar"} if is_partitioned else {})}
    columns = ", ".join(f"{quoted(name)} {type}" for name, type in types.items())
    return (
        f"create table if not exists {named(table)} ({columns}) with ("
        f"external_location = {literal(location)}, format = 'TEXTFILE', skip_header_line_count = 1, "
        "textfile_field_separator = U&'\\0009', null_format = '\\N'"
        + (", partitioned_by = array['ds'])" if is_partitioned else ")")
    )


def make_schema(connection: Any, name: str) -> None:
    """Make a schema unless it is there. Of two that make it at once, Trino refuses one, in spite of `if not exists`."""
    _run_once(connection, f"create schema if not exists {quoted(name)}")


def named(table: Table) -> str:
    """A table's name in SQL."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _run_once(connection: Any, sql: str) -> None:
    """Run a DDL statement that another import may run at this moment: what is there already is fine."""
    try:
        run(connection, sql)
    except trino.exceptions.TrinoQueryError as error:
        if "already exists" not in error.message.lower() and not str(error.error_name).endswith("ALREADY_EXISTS"):
            raise


def run(connection: Any, sql: str) -> list[Any]:
    """The rows that a statement gives."""
    rows: list[Any] = connection.cursor().execute(sql).fetchall()
    return rows
