"""The local target's metastore: one SQLite file, for any number of processes at once (write-ahead log).

A publication is one transaction. "Newer" is told by a sequence that the file counts, never by a clock. Beside slices it
knows what stands without them: seeds and plain tables (a version of no ds) and views (their SQL).
"""

import contextlib
import json
import re
import secrets
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError, Transient, UsageError
from dayslice.metastore.collector import paused
from dayslice.rules.slices import Change, Receipt, Slice, Table, Version, by_table, within

FORMAT = 1
# What of a receipt says which files there are, and how they are read.
_OF_FILES = ("columns", "parts", "sizes", "typed", "typed_sizes", "longest_line")
WAIT_SECONDS = 60.0
# SQLite's default limit of variables in one statement is far above; a statement is prepared anew for each number.
_ASK_AT_MOST = 500
NO_DS = ""
_LITTLE = 1 << 16
OF_BEFORE = "dayslice.duckdb"
"""Once the whole warehouse; now made from the metastore, for readers."""

DDL = """
create table state (key text primary key, value not null) without rowid;
create table tables (
    schema text not null,
    name text not null,
    kind text not null,  -- slices, table (no ds), view, or latest: the newest slice of a table
    definition text not null default '',  -- a view's SQL, or the table of a latest view
    changed integer not null,
    primary key (schema, name)
) without rowid;
create table versions (
    schema text not null,
    name text not null,
    ds text not null,
    id text not null,
    location text not null,
    receipt text not null,
    columns integer not null,  -- a row of columns
    sequence integer not null,  -- among the slice's versions
    written integer not null,  -- among all changes
    primary key (schema, name, ds, id)
) without rowid;
create table columns (number integer primary key, json text not null unique);
create table published (
    schema text not null,
    name text not null,
    ds text not null,
    id text not null,
    columns integer not null,
    written integer not null,
    primary key (schema, name, ds)
) without rowid;
create index published_columns on published (schema, name, columns, written);
"""


@dataclass(frozen=True)
class Standing:
    """Something that readers see. `changed`: when, by the metastore's sequence.

    `kind`: slices; table, without slices; view, whose SQL is its `definition`; latest, the newest slice of the table
    that `definition` names as a JSON list of schema and name.
    """

    table: Table
    kind: str
    definition: str
    changed: int


class SQLiteMetastore:
    """See `dayslice.metastore.interface.Metastore`. Not for several threads at once; open one for each.

    `begins_anew`: a migration makes it beside a warehouse of before.
    """

    def __init__(self, file: Path, wait_seconds: float = WAIT_SECONDS, begins_anew: bool = False):
        self.file = file
        if not begins_anew and not file.exists() and file.with_name(OF_BEFORE).exists():
            raise UsageError(
                f"{file.parent} has {OF_BEFORE} and no {file.name}: if it is a warehouse of before, take it over by "
                f"dayslice migrate; else put {file.name} back from its backup"
            )
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.connection = self._connect(wait_seconds)
                self._prepare()
            except sqlite3.OperationalError:
                if not file.exists() or not self._is_full():
                    raise
                self.connection = self._connect(wait_seconds, looks=True)
                self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from None

    def __enter__(self) -> "SQLiteMetastore":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The published versions of a table, by ds: those of `ds` that exist, or all."""
        if ds is None:
            found = self._versions(table, "p.id is not null order by v.ds")
            return {version.slice.ds: version for version in found}
        wanted = sorted(set(ds) - {NO_DS})
        found = []
        for start in range(0, len(wanted), _ASK_AT_MOST):
            some = wanted[start : start + _ASK_AT_MOST]
            found += self._versions(table, f"p.id is not null and v.ds in ({', '.join('?' * len(some))})", some)
        return {version.slice.ds: version for version in found}

    def published_files(self, table: Table, since: int = -1) -> tuple[list[Version], set[str]]:
        """The published versions of a table, with no more of their receipts than it takes to read their files.

        With those ds whose version was written after the change `since`. A whole receipt takes a tenth of a
        millisecond to read: too much for each of a long history.
        """
        read = ", ".join(f"'{key}', json_extract(v.receipt, '$.\"dayslice.{key}\"')" for key in _OF_FILES)
        rows = self._ask(
            f"select v.ds, v.id, v.location, json_object({read}), v.written from published p join versions v "
            "using (schema, name, ds, id) where p.schema = ? and p.name = ? and p.ds <> '' order by p.ds",
            [table.schema, table.name],
        )
        versions = [
            Version(Slice(table, ds), id, Receipt(rows=0, more=_known(more)), location)
            for ds, id, location, more, _ in rows
        ]
        return versions, {ds for ds, *_, written in rows if written > since}

    def written(self, table: Table) -> dict[str, int]:
        """The published ds of a table, each with the change that wrote its version."""
        rows = self._ask(
            "select ds, written from published where schema = ? and name = ? and ds <> '' order by ds",
            [table.schema, table.name],
        )
        return {ds: int(number) for ds, number in rows}

    def published_ds(self, table: Table) -> list[str]:
        """Every published ds of a table, oldest first."""
        rows = self._ask(
            "select ds from published where schema = ? and name = ? and ds <> '' order by ds",
            [table.schema, table.name],
        )
        return [ds for (ds,) in rows]

    def overview(self, tables: Collection[Table], first: str, last: str) -> dict[Table, dict[str, Version]]:
        """The published versions of many tables from `first` to `last`, by ds, in one query."""
        found: dict[tuple[str, str], tuple[Table, dict[str, Version]]]
        found = {(table.schema, table.name): (table, {}) for table in tables}
        rows = self._each(
            "select p.schema, p.name, p.ds, p.id, v.receipt, v.location, v.sequence from json_each(?1) w "
            "cross join published p on p.schema = json_extract(w.value, '$[0]') and "
            "p.name = json_extract(w.value, '$[1]') and p.ds between ?2 and ?3 "
            "join versions v on v.schema = p.schema and v.name = p.name and v.ds = p.ds and v.id = p.id "
            "where p.ds <> ''",
            [_named(tables), first, within(last)],
        )
        with paused():
            for schema, name, ds, version, receipt, location, sequence in rows:
                table, slices = found[schema, name]
                slices[ds] = Version(Slice(table, ds), version, Receipt.from_json(receipt), location, sequence)
        return dict(found.values())

    def published_of(self, slices: Collection[Slice]) -> dict[Slice, Version]:
        """What is published of some slices of any tables, table by table."""
        found = (self.published(table, ds) for table, ds in by_table(slices).items())
        return {version.slice: version for versions in found for version in versions.values()}

    def published_ds_of(self, tables: Collection[Table]) -> dict[Table, list[str]]:
        """Every published ds of many tables, oldest first, in one query."""
        found: dict[tuple[str, str], list[str]] = {(table.schema, table.name): [] for table in tables}
        rows = self._ask(
            "select p.schema, p.name, p.ds from json_each(?1) w cross join published p on "
            "p.schema = json_extract(w.value, '$[0]') and p.name = json_extract(w.value, '$[1]') and p.ds <> '' "
            "order by p.ds",
            [_named(tables)],
        )
        for schema, name, ds in rows:
            found[schema, name].append(ds)
        return {Table(*names): slices for names, slices in found.items()}

    def newest_ds(self, table: Table) -> str | None:
        """The newest published ds of a table, by one look at the index."""
        rows = self._ask("select max(ds) from published where schema = ? and name = ?", [table.schema, table.name])
        return rows[0][0] or None

    def sliced_tables(self, schema: str, but: Collection[Table] = ()) -> list[Table]:
        """The tables of slices of a schema, by name, without those of `but`."""
        return [each.table for each in self.all_standing(schema) if each.kind == "slices" and each.table not in but]

    def kinds(self, schema: str) -> dict[Table, str]:
        """What stands in a schema, with its kind: slices, table or view."""
        return {each.table: "view" if each.kind == "latest" else each.kind for each in self.all_standing(schema)}

    def publish(self, version: Version) -> None:
        """Make this version the published one of its slice, in one transaction."""
        self.publish_if(version, None)

    def publish_if(self, version: Version, instead_of: Collection[str] | None) -> bool:
        """Publish it if what is published is one of these ids ("" is nothing), in one transaction; whether it did."""
        with self._transaction() as number:
            if instead_of is not None and self._published_id(version.slice) not in instead_of:
                return False
            self._keep(version, number)
        return True

    def change(self, changes: Sequence[Change], staged: Mapping[Slice, Table] | None = None) -> list[Slice]:
        """Publish and remove many slices in one transaction, unless something else is published of one by now."""
        with self._transaction() as number:
            others = [each.slice for each in changes if self._published_id(each.slice) != each.instead_of]
            for each in [] if others else changes:
                if each.version is None:
                    self._remove(each.slice, number)
                else:
                    self._keep(each.version, number)
        return others

    def publish_anew(self, version: Version) -> None:
        """Publish a version as all that there is of its table: its history is forgotten in the same transaction."""
        with self._transaction() as number:
            self._drop(version.slice.table)
            self._keep(version, number)

    def publish_first(self, versions: Collection[Version]) -> None:
        """Publish many versions in one transaction: a migration, a restored backup."""
        with self._transaction() as number:
            for version in versions:
                self._keep(version, number)

    def versions(self, slice: Slice) -> list[Version]:
        """All kept versions of a slice, newest first."""
        return self._versions(slice.table, "v.ds = ? order by v.sequence desc", [slice.ds])

    def history(self, table: Table) -> dict[str, list[Version]]:
        """The kept versions of all slices of a table, by ds, each list newest first."""
        found: dict[str, list[Version]] = {}
        for version in self._versions(table, "v.ds <> '' order by v.ds, v.sequence desc"):
            found.setdefault(version.slice.ds, []).append(version)
        return found

    def all_versions(self) -> list[Version]:
        """All kept versions of everything that has files, those without slices too."""
        tables = [each.table for each in self.all_standing() if each.kind in ("slices", "table")]
        return [version for table in tables for version in self._versions(table, "true order by v.ds, v.sequence")]

    def relocate(self, versions: Collection[Version]) -> None:
        """Record other places for kept versions, in one transaction."""
        with self._transaction() as number:
            keys = [(number, v.slice.table.schema, v.slice.table.name, v.slice.ds, v.id) for v in versions]
            for of in ("versions", "published"):
                self.connection.executemany(
                    f"update {of} set written = ? where schema = ? and name = ? and ds = ? and id = ?", keys
                )
            self.connection.executemany(
                "update versions set location = ? where schema = ? and name = ? and ds = ? and id = ?",
                [(version.location, *key[1:]) for version, key in zip(versions, keys, strict=True)],
            )
            for table in {version.slice.table for version in versions}:
                self.connection.execute(
                    "update tables set changed = ? where schema = ? and name = ?", [number, table.schema, table.name]
                )

    def forget(self, version: Version) -> None:
        """Forget a kept version. One that is published at this moment stays: see `unpublish`."""
        s = version.slice
        with self._transaction():
            self.connection.execute(
                "delete from versions where schema = ?1 and name = ?2 and ds = ?3 and id = ?4 and not exists (select 1 "
                "from published p where p.schema = ?1 and p.name = ?2 and p.ds = ?3 and p.id = ?4)",
                [s.table.schema, s.table.name, s.ds, version.id],
            )

    def unpublish(self, version: Version) -> bool:
        """Remove a slice, with all that is kept of it, if this version is still the published one of it."""
        with self._transaction() as number:
            if self._published_id(version.slice) != version.id:
                return False
            self._remove(version.slice, number)
        return True

    def columns(self, table: Table) -> list[str]:
        """The receipts' `columns` of the published versions of a table, each once, the newest first."""
        rows = self._ask(
            # From one list of columns to the next by the index: a long history of the same one costs nothing.
            "with recursive found(number) as (select min(columns) from published where schema = ?1 and name = ?2 "
            "union all select (select min(columns) from published where schema = ?1 and name = ?2 "
            "and columns > number) "
            "from found where number is not null) "
            "select c.json from found join columns c using (number) order by (select max(written) from published "
            "where schema = ?1 and name = ?2 and columns = c.number) desc",
            [table.schema, table.name],
        )
        return [columns for (columns,) in rows]

    def content(self, table: Table) -> Version | None:
        """What a table without slices holds: a seed, a plain table."""
        found = self._versions(table, "p.id is not null and v.ds = ''")
        return found[0] if found else None

    def publish_view(self, view: Table, sql: str) -> None:
        """Make a view stand. What stood under its name is forgotten."""
        with self._transaction() as number:
            self._drop(view)
            self._touch(view, "view", number, sql)

    def publish_latest(self, view: Table, table: Table) -> None:
        """Make a view stand that is the newest slice of a table, whichever that is when it is read."""
        with self._transaction() as number:
            self._drop(view)
            self._touch(view, "latest", number, json.dumps([table.schema, table.name]))

    def drop(self, table: Table) -> None:
        """Nothing of this name stands any more, and no version of it is known."""
        with self._transaction():
            self._drop(table)

    def standing(self, table: Table) -> Standing | None:
        """What stands under a name."""
        found = self._standing("schema = ? and name = ?", [table.schema, table.name])
        return found[0] if found else None

    def all_standing(self, schema: str | None = None) -> list[Standing]:
        """Everything that stands, or what does in one schema, by name."""
        return self._standing("?1 is null or schema = ?1", [schema])

    def standing_since(self, change: int) -> tuple[list[Standing], int]:
        """What stands since after a change, and how many names stand in all."""
        found = self._standing("changed > ?", [change])
        return found, int(self._ask("select count(*) from tables")[0][0])

    def schemas(self) -> list[str]:
        """The schemas in which something stands."""
        return [schema for (schema,) in self._ask("select distinct schema from tables order by schema")]

    def sequence(self) -> int:
        """The number of the last change of anything."""
        return int(self._ask("select value from state where key = 'sequence'")[0][0])

    def copy_to(self, file: Path) -> None:
        """A file of its own with all that is known now, and with what is published now in its table `base`."""
        try:
            with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as copy:
                self.connection.backup(copy)
                copy.execute("create table base as select schema, name, ds, id from published where ds <> ''")
                copy.execute("create index of_base on base (schema, name, ds)")
                copy.execute("insert or replace into state select 'base', value from state where key = 'sequence'")
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def stage(self, version: Version, before: str) -> None:
        """In a copy: publish a version, and note what was published as it was made; '' for nothing."""
        s = version.slice
        with self._transaction() as number:
            self._keep(version, number)
            self.connection.execute(
                "insert into base select ?1, ?2, ?3, ?4 where not exists "
                "(select 1 from base where schema = ?1 and name = ?2 and ds = ?3)",
                [s.table.schema, s.table.name, s.ds, before],
            )

    def since_copied(self) -> list[Change]:
        """In a copy: the versions that were published in it, each with what was published as it was made."""
        rows = self._ask(
            "select v.schema, v.name, v.ds, v.id, v.receipt, v.location, v.sequence, coalesce(b.id, '') "
            "from published p join versions v using (schema, name, ds, id) left join base b using (schema, name, ds) "
            "where v.ds <> '' and v.written > (select value from state where key = 'base') order by v.written"
        )
        found = []
        for schema, name, ds, version, receipt, location, sequence, before in rows:
            slice = Slice(Table(schema, name), ds)
            made = Version(slice, version, Receipt.from_json(receipt), location, sequence)
            found.append(Change(slice, made, before))
        return found

    def written_since_copied(self) -> list[str]:
        """In a copy: the folders of all versions that were written by those who published in it, of no slice too."""
        rows = self._ask(
            "select ds, location from versions where written > (select value from state where key = 'base')"
        )
        # Of a slice, the folder of its ds lies in its version's.
        return [location.rpartition("/")[0] if ds else location for ds, location in rows]

    def rewrite(self, before: Version, after: Version, staged: Table | None = None) -> bool:
        """Put another version in the place of a kept one, its number and its being published among that.

        In one transaction; False where that one is not kept any more: then nothing was changed.
        """
        s = before.slice
        key = [s.table.schema, s.table.name, s.ds, before.id]
        columns = after.receipt.more.get("columns", "[]")
        with self._transaction() as number:
            self.connection.execute("insert or ignore into columns (json) values (?)", [columns])
            changed = self.connection.execute(
                "update versions set id = ?5, location = ?6, receipt = ?7, written = ?8, "
                "columns = (select number from columns where json = ?9) "
                "where schema = ?1 and name = ?2 and ds = ?3 and id = ?4",
                [*key, after.id, after.location, after.receipt.to_json(), number, columns],
            ).rowcount
            self.connection.execute(
                "update published set id = ?5, written = ?6, columns = (select number from columns where json = ?7) "
                "where schema = ?1 and name = ?2 and ds = ?3 and id = ?4",
                [*key, after.id, number, columns],
            )
            self._touch(s.table, "table" if s.ds == NO_DS else "slices", number)
        return changed > 0

    def suppressed(self) -> list[tuple[str, str]]:
        """The hashes of erased persons, each with its kind of name."""
        if not self._ask("select 1 from sqlite_master where name = 'suppressed'"):
            return []
        return [(kind, hash) for kind, hash in self._ask("select kind, hash from suppressed order by kind, hash")]

    def suppressed_since(self) -> datetime | None:
        """When the last one was added."""
        if not self._ask("select 1 from sqlite_master where name = 'suppressed'"):
            return None
        added = self._ask("select max(added) from suppressed")[0][0]
        return datetime.fromisoformat(added) if added else None

    def suppressed_by(self) -> str:
        """The fingerprint of the secret that they were made with; '' where there are none."""
        found = self._ask("select value from state where key = 'suppressed_by'")
        return found[0][0] if found else ""

    def suppress(self, kind: str, hashes: Collection[str], key: str, when: str, warehouse: str) -> None:
        """Add one person, by all hashes that are looked for."""
        with self._transaction():
            self.connection.execute(
                "create table if not exists suppressed (kind text not null, hash text not null, added text not null, "
                "primary key (kind, hash)) without rowid"
            )
            for hash in hashes:
                self.connection.execute("insert or ignore into suppressed values (?, ?, ?)", [kind, hash, when])
            self.connection.execute("insert or ignore into state values ('suppressed_by', ?)", [key])

    def owner(self) -> str:
        """The id of this warehouse's owner, made with the file."""
        return str(self._ask("select value from state where key = 'owner'")[0][0])

    def adopt(self, owner: str) -> None:
        """Take over another owner's id, with what lies in its warehouse."""
        with self._transaction():
            self.connection.execute("update state set value = ? where key = 'owner'", [owner])

    def _connect(self, wait_seconds: float, looks: bool = False) -> sqlite3.Connection:
        """`looks`: on a full disk, which has no room for the log's index, so that nobody writes; looks go on."""
        file, alone = str(self.file), False
        if looks:
            log = self.file.with_name(f"{self.file.name}-wal")
            alone = log.exists() and log.stat().st_size > 0  # its index is kept in memory then, and nobody else's
            file = str(self.file) if alone else f"{self.file.absolute().as_uri()}?immutable=1"
        made = sqlite3.connect(
            file, timeout=wait_seconds, isolation_level=None, check_same_thread=False, uri=file.startswith("file:")
        )
        if alone:
            made.execute("pragma locking_mode = exclusive")
        # A commit that was reported outlives a power cut: FULL syncs the log at each.
        made.execute("pragma synchronous = full")
        return made

    def _is_full(self) -> bool:
        return shutil.disk_usage(self.file.parent).free < _LITTLE

    def _prepare(self) -> None:
        if self.connection.execute("select 1 from sqlite_master where name = 'state'").fetchone():
            return
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("begin immediate")
        try:
            if not self.connection.execute("select 1 from sqlite_master where name = 'state'").fetchone():
                for statement in DDL.split(";"):
                    self.connection.execute(statement)
                state = {"format": FORMAT, "sequence": 0, "owner": secrets.token_hex(8)}
                self.connection.executemany("insert into state values (?, ?)", list(state.items()))
            self.connection.execute("commit")
        except BaseException:
            self.connection.execute("rollback")
            raise

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """One transaction that writes, and its number."""
        try:
            self.connection.execute("begin immediate")
            try:
                self.connection.execute("update state set value = value + 1 where key = 'sequence'")
                yield self.sequence()
                self.connection.execute("commit")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("rollback")
                raise
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def _keep(self, version: Version, number: int) -> None:
        s = version.slice
        key = [s.table.schema, s.table.name, s.ds, version.id]
        columns = version.receipt.more.get("columns", "[]")
        self.connection.execute("insert or ignore into columns (json) values (?)", [columns])
        # A version that is published again, by a rollback, keeps its place in time.
        self.connection.execute(
            "insert into versions select ?1, ?2, ?3, ?4, ?5, ?6, (select number from columns where json = ?7), "
            "(select coalesce(max(sequence), 0) + 1 from versions where schema = ?1 and name = ?2 and ds = ?3), ?8 "
            "where true on conflict do update set location = excluded.location, receipt = excluded.receipt, "
            "columns = excluded.columns",
            [*key, version.location, version.receipt.to_json(), columns, number],
        )
        self.connection.execute(
            "insert or replace into published select schema, name, ds, id, columns, written from versions "
            "where schema = ? and name = ? and ds = ? and id = ?",
            key,
        )
        self._touch(s.table, "table" if s.ds == NO_DS else "slices", number)

    def _remove(self, slice: Slice, number: int) -> None:
        key = [slice.table.schema, slice.table.name, slice.ds]
        for of in ("published", "versions"):
            self.connection.execute(f"delete from {of} where schema = ? and name = ? and ds = ?", key)
        self.connection.execute("update tables set changed = ? where schema = ? and name = ?", [number, *key[:2]])

    def _drop(self, table: Table) -> None:
        for of in ("tables", "versions", "published"):
            self.connection.execute(f"delete from {of} where schema = ? and name = ?", [table.schema, table.name])

    def _touch(self, table: Table, kind: str, number: int, definition: str = "") -> None:
        self.connection.execute(
            "insert or replace into tables values (?, ?, ?, ?, ?)",
            [table.schema, table.name, kind, definition, number],
        )

    def _published_id(self, slice: Slice) -> str:
        rows = self.connection.execute(
            "select id from published where schema = ? and name = ? and ds = ?",
            [slice.table.schema, slice.table.name, slice.ds],
        ).fetchall()
        return rows[0][0] if rows else ""

    def _versions(self, table: Table, where: str, values: Collection[str] = ()) -> list[Version]:
        rows = self._ask(
            "select v.ds, v.id, v.receipt, v.location, v.sequence from versions v left join published p "
            "on p.schema = v.schema and p.name = v.name and p.ds = v.ds and p.id = v.id "
            f"where v.schema = ? and v.name = ? and {where}",
            [table.schema, table.name, *values],
        )
        return [
            Version(Slice(table, ds), version, Receipt.from_json(receipt), location, sequence)
            for ds, version, receipt, location, sequence in rows
        ]

    def _standing(self, where: str, values: Collection[str | int | None]) -> list[Standing]:
        rows = self._ask(
            f"select schema, name, kind, definition, changed from tables where {where} order by schema, name", values
        )
        return [Standing(Table(schema, name), kind, sql, int(changed)) for schema, name, kind, sql, changed in rows]

    def _ask(self, sql: str, values: Collection[str | int | None] = ()) -> list[Any]:
        try:
            return self.connection.execute(sql, list(values)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def _each(self, sql: str, values: Collection[str | int | None] = ()) -> Iterator[Any]:
        """The same, row by row: receipts by the hundred thousand are not held as text and as what they say."""
        try:
            yield from self.connection.execute(sql, list(values))
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> DaysliceError:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return Transient(f"{self.file} has been locked by another process for too long: try again")
        if "is not a database" in str(error) or "malformed" in str(error):
            return DaysliceError(
                f"{self.file} is damaged ({error}): put its last backup there, or look with: sqlite3 {self.file} "
                "'pragma integrity_check'"
            )
        what = getattr(error, "strerror", None) or error
        if "is full" in str(error) or (re.search("disk I/O|readonly", str(error)) and self._is_full()):
            what = "the disk is full"  # SQLite calls it I/O where its log's index cannot grow
        return DaysliceError(f"{self.file} cannot be read or written ({what}); what was published stands")


def _named(tables: Collection[Table]) -> str:
    return json.dumps(sorted({(table.schema, table.name) for table in tables}))


def _known(facts: str) -> dict[str, str]:
    return {key: value for key, value in json.loads(facts).items() if value is not None}
