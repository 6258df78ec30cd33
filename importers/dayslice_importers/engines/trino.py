"""The production engine: Trino reads landed files as typed rows, writes them beside as ORC, and shows them in views.

What it counts are the rows that it wrote. See `trino_views` for what readers see.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trino

from dayslice.engines.landed_csv import Columns, columns_of, literal, quoted
from dayslice.engines.reading import typed_location
from dayslice.engines.trino_client import connect
from dayslice.errors import Refused
from dayslice.metastore.choice import open_catalog
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name
from dayslice.rules.slices import Table, Version, new_version_id
from dayslice_importers.engines.duckdb import shown
from dayslice_importers.engines.trino_values import decoded, type_here, typed_name, written
from dayslice_importers.engines.trino_views import create_table, make_schema, named, publish, raw_names, run
from dayslice_importers.source_errors import shows_values


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
        """The rows that Trino reads of a staged version, every value cast. Raises Refused for one that fails.

        Of typed columns that it writes, Trino says how many rows they are, when they are written.
        """
        columns = columns_of(version)
        with connect(self.credentials) as connection:
            make_schema(connection, STAGING_SCHEMA)
            with self._staged(version) as typed, self._staged(version, version.id) as staged:
                run(connection, create_table(staged, raw_names(columns), version.location, False, {}))
                counts = write_columns(typed, staged, version) if columnar else count_rows(staged, columns)
                try:
                    (found,) = run(connection, counts)
                except trino.exceptions.TrinoQueryError as error:
                    raise self._culprit(connection, version, staged, error) from None
        return int(found[0])

    def publish(self, version: Version) -> list[Version]:
        """See `Engine.publish`, and `trino_views.publish`."""
        with open_catalog(self.credentials) as catalog, connect(self.credentials) as connection:
            publish(connection, catalog, self.credentials.warehouse, version)
        return []

    @contextmanager
    def _staged(self, version: Version, id: str | None = None) -> Iterator[Table]:
        """The name of a table that is gone at the end. Its files stay; `dayslice retain` drops that of a dead run."""
        table = Table(STAGING_SCHEMA, stage_name(version.slice, id or new_version_id()))
        try:
            yield table
        finally:
            with open_catalog(self.credentials) as catalog:
                catalog.drop_table(table)

    @staticmethod
    def _culprit(connection: Any, version: Version, staged: Table, error: Any) -> Refused:
        """Which column cannot be read, with one example of its landed text."""
        for name, _, declared, kind, decoding in columns_of(version):
            if kind == "varchar":
                continue
            value = decoded(name, kind, decoding)
            try:
                run(connection, f"select count({value}) from {named(staged)}")
                continue
            except trino.exceptions.TrinoQueryError as failed:
                found = f"a value ({failed.message})" if shows_values() else shown("")
            # Not every failure of a cast is one that `try` catches; then there is no example.
            example = run(
                connection,
                f"select {quoted(name)} from {named(staged)} where {quoted(name)} is not null "
                f"and try({value}) is null limit 1",
            )
            if example:
                found = shown(example[0][0])
            return Refused(
                f"{version.slice}: column {name} ({declared}) has {found}, which no {type_here(kind)} on "
                f"Trino holds; nothing was published. Carry it as text (types: {{{name}: text}}), or leave such "
                "rows out (row_filter)"
            )
        said = error.message if shows_values() else f"{error.error_name} (--show-values shows what Trino said)"
        return Refused(f"{version.slice}: the landed files cannot be read: {said}")


def write_columns(typed: Table, staged: Table, version: Version) -> str:
    """The statement that writes the typed columns of a version, beside its CSV; it gives the rows that it wrote."""
    values = [
        f"{written(name, kind, decoding)} as {quoted(typed_name(name, kind))}"
        for name, _, _, kind, decoding in columns_of(version)
    ]
    place = literal(typed_location(version.location))
    return (
        f"create table {named(typed)} with (external_location = {place}, format = 'ORC') "
        f"as select {', '.join(values)} from {named(staged)}"
    )


def count_rows(staged: Table, columns: Columns) -> str:
    """The query of a version's rows, with every value cast."""
    values = [f"count({decoded(name, kind, decoding)})" for name, _, _, kind, decoding in columns if kind != "varchar"]
    return f"select {', '.join(['count(*)', *values])} from {named(staged)}"
