"""What stands in a local warehouse, made visible in a DuckDB connection: views over the files of published versions.

Only what a statement names is made visible, when it is run. Where it restricts a table to literal slices, as the
macros write it, the files of those slices are put in the table's place: so a long history costs such a statement
nothing. Everything else gets a view of all published slices.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dayslice.engines.landed_csv import quoted
from dayslice.engines.reading import select_content, select_versions, table_types
from dayslice.metastore.integrity import check_sizes
from dayslice.metastore.sqlite import SQLiteMetastore, Standing
from dayslice.rules.slices import Table, Version

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'
_DOTTED = re.compile(rf'(?<![\w".$]){_NAME}(?:\s*\.\s*{_NAME})+')
_PART = re.compile(_NAME)
_DS = r"'([^']*)'"
# Nothing may follow the condition that could widen it again: it ends with its subquery.
_SLICES = re.compile(rf"\s+where\s+ds\s*(?:=\s*{_DS}|between\s+{_DS}\s+and\s+{_DS})\s*\)", re.IGNORECASE)
Key = tuple[str, str]


def key_of(table: Table) -> Key:
    """A name as DuckDB compares it."""
    return table.schema.lower(), table.name.lower()


def unquoted(name: str) -> str:
    """The inverse of `quoted`."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


class Seen:
    """What the last look at a file found, for the next connection: a thousand tables are not read anew for each."""

    def __init__(self) -> None:
        self.last: tuple[int, Mapping[Key, Standing]] = (-1, {})
        """In one, as threads share it: a change, and what stood then."""


class Visible:
    """Makes names visible in one connection. `own`: tables that live in the connection itself, and are left alone."""

    def __init__(self, connection: Any, metastore: SQLiteMetastore, seen: "Seen | None" = None):
        self.connection = connection
        self.metastore = metastore
        self.seen = seen or Seen()
        self.own: set[Key] = set()
        self.checked = -1
        """The change up to which the files of what is published were looked at before."""
        self.made: dict[Key, int] = {}
        self.sequence, self.standing = self.seen.last

    def prepare(self, sql: str) -> str:
        """Make visible what a statement names; the statement to run."""
        self._look()
        parts: list[str] = []
        end = 0
        for found in _DOTTED.finditer(sql):
            standing = self._named(found[0])
            if standing is None or found.start() < end:
                continue
            slices = _SLICES.match(sql, found.end()) if standing.kind == "slices" else None
            if slices:
                parts += [sql[end : found.start()], self._some_slices(standing, slices)]
                end = found.end()
            else:
                self.make(standing)
        return "".join([*parts, sql[end:]])

    def make_all(self) -> None:
        """Make everything visible."""
        self._look()
        for standing in self.standing.values():
            self.make(standing)

    def make(self, standing: Standing) -> None:
        """A view of one name, unless it is there as it stands now."""
        table, key = standing.table, key_of(standing.table)
        follows = standing.kind in ("view", "latest")
        if key in self.own or (self.made.get(key) == standing.changed and not follows):
            return
        self.made[key] = standing.changed
        self.connection.execute(f"create schema if not exists {quoted(table.schema)}")
        select = self.select(standing)
        self.connection.execute(f"create or replace view {quoted(table.schema)}.{quoted(table.name)} as {select}")

    def select(self, standing: Standing) -> str:
        """The SELECT of what stands."""
        if standing.kind == "view":
            return self.prepare(standing.definition)
        if standing.kind == "table":
            content = self.metastore.content(standing.table)
            check_sizes([content] if content else [])
            return select_content(content, self.types(standing.table)) if content else "select 1 where false"
        if standing.kind == "slices":
            versions, new = self.metastore.published_files(standing.table, self.checked)
            check_sizes(version for version in versions if version.slice.ds in new)
            return select_versions(versions, self.types(standing.table))
        table = Table(*json.loads(standing.definition))
        newest = self.metastore.newest_ds(table)
        shown = self.metastore.published(table, [newest]).values() if newest else []
        return self._whole(shown, table)

    def select_slices(self, table: Table, slices: Collection[str]) -> str:
        """The SELECT of some slices of a table: what others there are costs it nothing."""
        return self._whole(self.metastore.published(table, slices).values(), table)

    def types(self, table: Table) -> dict[str, str]:
        """The columns of a table, less ds."""
        return table_types(self.metastore.columns(table))

    def references(self, definition: str) -> set[Key]:
        """What a view's SQL names."""
        self._look()
        return {key_of(found.table) for each in _DOTTED.finditer(definition) if (found := self._named(each[0]))}

    def forget(self) -> None:
        """A transaction was rolled back: what it made is not there."""
        self.made.clear()

    def _whole(self, versions: Iterable[Version], table: Table) -> str:
        """The rows of versions whose files are all there. Raises Refused that names a damaged one's slice."""
        read = list(versions)
        check_sizes(read)
        return select_versions(read, self.types(table))

    def _look(self) -> None:
        if (sequence := self.metastore.sequence()) == self.sequence:
            return
        # Others publish all the while: only what is new is read, unless something is gone.
        found, count = self.metastore.standing_since(self.sequence)
        self.standing = {**self.standing, **{key_of(each.table): each for each in found}}
        if len(self.standing) != count:
            self.standing = {key_of(each.table): each for each in self.metastore.all_standing()}
        self.sequence = sequence
        self.seen.last = sequence, self.standing

    def _named(self, dotted: str) -> Standing | None:
        parts = [unquoted(part).lower() for part in _PART.findall(dotted)]
        pairs = [(parts[1], parts[2])] if len(parts) > 2 else []
        return next((self.standing[pair] for pair in [*pairs, (parts[0], parts[1])] if pair in self.standing), None)

    def _some_slices(self, standing: Standing, slices: re.Match[str]) -> str:
        one, first, last = slices.groups()
        stands = [one] if one is not None else self.metastore.published_ds(standing.table)
        wanted = stands if one is not None else [ds for ds in stands if first <= ds <= last]
        return f"({self.select_slices(standing.table, wanted)}) as {quoted(standing.table.name)}"
