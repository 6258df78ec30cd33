"""The metastore: which version of each slice is published. The one truth; nobody else remembers it.

What each implementation promises, and `tests/metastore/test_promise.py` holds them to: a publication that `publish`
returned from is never undone by anything but a later publication or a rollback, which is one too. `forget` of a kept
version does not touch what is published, whoever publishes meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from dayslice.rules.file_layout import FileLayout
from dayslice.rules.slices import Change, Slice, Table, Version


class Metastore(Protocol):
    """What every implementation does. Each call is one round trip where the service allows it."""

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The published versions of a table, by ds: those of `ds` that exist, or all. A table unknown gives {}."""
        ...

    def published_ds(self, table: Table) -> list[str]:
        """Every published ds of a table, oldest first. Names only: quick with ten thousand of them."""
        ...

    def overview(self, tables: Collection[Table], first: str, last: str) -> dict[Table, dict[str, Version]]:
        """The published versions of many tables from `first` to `last`, by ds: in few calls, or in parallel ones.

        A `last` that is written in a coarser grain has all slices of that day in it. Tables without one are there too.
        """
        ...

    def published_of(self, slices: Collection[Slice]) -> dict[Slice, Version]:
        """What is published of some slices of any tables: in few calls, or in parallel ones."""
        ...

    def published_ds_of(self, tables: Collection[Table]) -> dict[Table, list[str]]:
        """What `published_ds` gives, of many tables."""
        ...

    def sliced_tables(self, schema: str, but: Collection[Table] = ()) -> list[Table]:
        """The tables of slices of a schema, by name, without those of `but`, which are not looked at."""
        ...

    def kinds(self, schema: str) -> dict[Table, str]:
        """What stands in a schema, with its kind: slices, table or view. A schema unknown gives {}."""
        ...

    def drop(self, table: Table) -> None:
        """Forget a table or a view, with all slices and versions of it; files stay. None there is no error."""
        ...

    def publish(self, version: Version) -> None:
        """Make this version the published one of its slice, in one atomic step for readers.

        The version that was published is kept for `rollback` and appears in `versions`. A version that is published
        again keeps its `sequence`. Raises Transient where it is not known whether it was published.
        """
        ...

    def change(self, changes: Sequence[Change], staged: Mapping[Slice, Table] | None = None) -> list[Slice]:
        """Publish and remove many slices: SQLite by one transaction, Hive by two calls a table, Glue by batches.

        Gives the slices of which something else is published than the changes say: then nothing was changed. `staged`:
        the tables whose column statistics are those of new versions, where the service has them.
        """
        ...

    def versions(self, slice: Slice) -> list[Version]:
        """All kept versions of a slice, newest first by their sequence, the published one among them."""
        ...

    def history(self, table: Table) -> dict[str, list[Version]]:
        """The kept versions of all slices of a table, by ds, each list newest first. Few calls for many slices."""
        ...

    def forget(self, version: Version) -> None:
        """Forget a kept version. One that is published at this moment stays: see `unpublish`."""
        ...

    def unpublish(self, version: Version) -> bool:
        """Remove a slice, with all that is kept of it, if this version is still the published one of it.

        False where another one is by now: then nothing was changed.
        """
        ...

    def rewrite(self, before: Version, after: Version, staged: Table | None = None) -> bool:
        """Put another version in the place of a kept one, its number and its being published among that.

        Readers see it in one step. False where that one is not kept any more: then nothing was changed. `staged`: the
        table whose column statistics are the new one's, where the service has them.
        """
        ...

    def suppressed(self) -> list[tuple[str, str]]:
        """The hashes of erased persons, each with its kind of name."""
        ...

    def suppressed_by(self) -> str:
        """The fingerprint of the secret that they were made with; '' where there are none."""
        ...

    def suppress(self, kind: str, hashes: Collection[str], key: str, when: str, warehouse: str) -> None:
        """Add one person, by all hashes that are looked for: `when`, and by the fingerprint `key` of the secret."""
        ...


class Catalog(Metastore, Protocol):
    """A metastore that also knows the tables themselves: Hive's and Glue's, for the trino target."""

    def publish(self, version: Version, staged: Table | None = None, as_columns: bool = False) -> None:
        """As above, and the slice gets the column statistics of the table `staged`, or those it had before.

        `as_columns`: what readers are shown of an import are its typed columns, which are ORC.
        """
        ...

    def turn(self, slice: Slice) -> AbstractContextManager[Any]:
        """Whoever is in here is alone with this slice, on every machine. Waits for its turn."""
        ...

    def settle(self, table: Table) -> None:
        """Returns when each turn of a table's slices that has begun by now has ended."""
        ...

    def tables(self, schema: str, prefix: str = "") -> list[str]:
        """The names of a schema's tables that begin with `prefix`. A schema unknown gives []."""
        ...

    def location(self, table: Table) -> str | None:
        """Where a table lies, or None if there is no such table."""
        ...

    def default_location(self, table: Table) -> str | None:
        """Where a table lies that asks for no place of its own; None where its schema has none."""
        ...

    def kind(self, table: Table) -> str | None:
        """`slices` for one that is partitioned by ds, `view`, or `table` for any other; None if there is none."""
        ...

    def columns(self, table: Table) -> list[str]:
        """The names of a table's columns in lower case, less partition keys; [] if there is no such table."""
        ...

    def column_types(self, table: Table) -> dict[str, str]:
        """The types of a table's columns as the service writes them, by name in lower case, less partition keys."""
        ...

    def layout(self, table: Table) -> FileLayout | None:
        """How a table's files are written, or None if there is no such table."""
        ...

    def drop_table(self, table: Table) -> None:
        """Drop an external table; its files stay. None there is no error."""
        ...

    def replace_content(self, table: Table, staged: Table) -> None:
        """Make a table without slices show what a staged one holds, columns and files, in one call.

        A table that is not there is made.
        """
        ...
