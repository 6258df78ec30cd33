"""What the metastores of Hive and Glue share: slices are partitions, and publishers take turns by a journal."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from dayslice.errors import DaysliceError, Transient
from dayslice.metastore.collector import paused
from dayslice.metastore.erasing import Erases
from dayslice.metastore.journal import (
    BUDGET_SECONDS,
    LEASE_SECONDS,
    Entry,
    Turn,
    Waiting,
    entry_values,
    journal_of,
    new_holder,
    take_turn,
)
from dayslice.metastore.many import Altered, New, change_many
from dayslice.metastore.partitions import LANDED, Row, partition_parameters, placed, shown_version
from dayslice.rules.slices import Change, Receipt, Slice, Table, Version, by_table, within

_TRIES = 5
# How many sessions ask at once of many tables: a metastore answers one table in some 10 ms, most of it waiting.
SESSIONS = 8
T = TypeVar("T")
_logger = logging.getLogger(__name__)


class Partitioned(Erases):
    """The half of a metastore that does not depend on its service."""

    raced: tuple[type[Exception], ...]
    """What the service answers when a partition is there already, or is not there any more."""
    budget_seconds = BUDGET_SECONDS
    lease_seconds = LEASE_SECONDS

    def __init__(self) -> None:
        self._holders: dict[Table, Table] = {}

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The published versions of a table, by ds: those of `ds` that exist, or all."""
        holder = self._holder(table)
        rows = self._rows(holder) if ds is None else self._rows_of(holder, sorted(set(ds)))
        return {row.values[0]: shown_version(Slice(table, row.values[0]), row) for row in rows}

    def published_ds(self, table: Table) -> list[str]:
        """Every published ds of a table, oldest first; names only, so that it is quick with ten thousand of them."""
        return sorted(self._ds(self._holder(table)))

    def overview(self, tables: Collection[Table], first: str, last: str) -> dict[Table, dict[str, Version]]:
        """The published versions of many tables from `first` to `last`, by ds: several sessions ask at once."""

        def of(session: "Partitioned", table: Table, holder: Table) -> dict[str, Version]:
            rows = session._rows_between(holder, first, within(last))
            found = (shown_version(Slice(table, row.values[0]), row) for row in rows)
            return {version.slice.ds: version for version in found}

        with paused():
            return self._of_each(tables, of, {})

    def published_of(self, slices: Collection[Slice]) -> dict[Slice, Version]:
        """What is published of some slices of any tables: several sessions ask at once."""
        wanted = by_table(slices)

        def of(session: "Partitioned", table: Table, holder: Table) -> list[Version]:
            rows = session._rows_of(holder, sorted(set(wanted[table])))
            return [shown_version(Slice(table, row.values[0]), row) for row in rows]

        none: list[Version] = []
        return {each.slice: each for found in self._of_each(wanted, of, none).values() for each in found}

    def published_ds_of(self, tables: Collection[Table]) -> dict[Table, list[str]]:
        """Every published ds of many tables, oldest first: several sessions ask at once."""
        return self._of_each(tables, lambda session, table, holder: sorted(session._ds(holder)), [])

    def _of_each(
        self, tables: Collection[Table], ask: Callable[["Partitioned", Table, Table], T], nothing: T
    ) -> dict[Table, T]:
        """What `ask` gives of each table that is there, by sessions in parallel; the names are asked for by schema."""
        there = {schema: set(self.tables(schema)) for schema in {table.schema for table in tables}}
        holders = {
            table: Table(table.schema, name)
            for table in dict.fromkeys(tables)
            for name in (table.name, table.name + LANDED)  # the last that is there, as of an import's view
            if name in there[table.schema]
        }
        found = dict.fromkeys(tables, nothing)
        idle: SimpleQueue[Partitioned] = SimpleQueue()
        with ExitStack() as sessions:
            for _ in range(min(SESSIONS, len(holders))):
                idle.put(sessions.enter_context(self._session()))

            def work(item: tuple[Table, Table]) -> tuple[Table, T]:
                session = idle.get()
                try:
                    return item[0], ask(session, *item)
                finally:
                    idle.put(session)

            with ThreadPoolExecutor(SESSIONS) as executor:
                found.update(executor.map(work, holders.items()))
        return found

    def sliced_tables(self, schema: str, but: Collection[Table] = ()) -> list[Table]:
        """The tables of slices of a schema, by name, without those of `but`, which are not looked at."""
        held = {name: Table(schema, name.removesuffix(LANDED)) for name in self.tables(schema)}
        return sorted(
            {table for name, table in held.items() if table not in but and self.kind(Table(schema, name)) == "slices"},
            key=str,
        )

    def kinds(self, schema: str) -> dict[Table, str]:
        """What stands in a schema, with its kind: slices, table or view. An import's own table is not told apart."""
        names = set(self.tables(schema))
        found = {}
        for name in sorted(names):
            kind = "slices" if name + LANDED in names else self.kind(Table(schema, name))
            if kind and not (name.endswith(LANDED) and name.removesuffix(LANDED) in names):
                found[Table(schema, name)] = kind
        return found

    def drop(self, table: Table) -> None:
        """Forget a table or a view, with all slices and versions of it; files stay."""
        for each in (table, Table(table.schema, table.name + LANDED), journal_of(table)):
            self.drop_table(each)
        self._holders.pop(table, None)

    def drop_table(self, table: Table) -> None:
        """Drop an external table; its files stay. None there is no error."""
        raise NotImplementedError

    def publish(self, version: Version, staged: Table | None = None, as_columns: bool = False) -> None:
        """In readers' eyes one call: a partition is created for a new slice, altered for one that is replaced.

        `staged`: the table whose column statistics are the version's; without it, those noted when it was first
        published. Raises DaysliceError if the table is not there, Transient if it is not known what came of it.
        """
        if self._table(self._holder(version.slice.table)) is None:
            raise DaysliceError(
                f"{version.slice.table} is not in {self.named}, so {version.slice} cannot be published: build it first"
            )
        with self.turn(version.slice, version) as turn:
            sequence = _sequence(turn, version)
            statistics = self._statistics_of(turn, version, staged)
            self._show(turn, version, sequence, as_columns)
            self._note_statistics(turn, statistics)

    def change(self, changes: Sequence[Change], staged: Mapping[Slice, Table] | None = None) -> list[Slice]:
        """Publish and remove many slices, the partitions of one table in as few calls as there are."""
        return change_many(self, changes, staged)

    def versions(self, slice: Slice) -> list[Version]:
        """All kept versions of a slice, newest first."""
        row = self._row(slice)
        return _kept(self._entries(slice), shown_version(slice, row) if row else None)

    def history(self, table: Table) -> dict[str, list[Version]]:
        """The kept versions of all published slices of a table, by ds, each list newest first."""
        entries: dict[str, list[Entry]] = {}
        for row in self._rows(journal_of(table)):
            slice = Slice(table, row.values[0])
            entries.setdefault(slice.ds, []).append(Entry.read(slice, row))
        return {ds: _kept(entries.get(ds, []), shown) for ds, shown in sorted(self.published(table).items())}

    def forget(self, version: Version) -> None:
        """Forget a kept version, by its own entries: no slice's partition is touched. One that is published stays."""
        row = self._row(version.slice)
        if row is not None and shown_version(version.slice, row).id == version.id:
            return
        for entry in self._entries(version.slice):
            if entry.version and entry.version.id == version.id and not entry.holder:
                self._drop(journal_of(version.slice.table), entry.row.values)

    def unpublish(self, version: Version) -> bool:
        """Remove a slice, and all that is kept of it, if this version is still the published one. Files stay."""
        with self.turn(version.slice) as turn:
            row = self._row(version.slice)
            if row is None or shown_version(version.slice, row).id != version.id:
                return False
            turn.check()
            self._remove_slice(turn)
            return True

    def _remove_slice(self, turn: Turn) -> None:
        """A slice's partition goes, and all its entries but that of this turn."""
        self._drop(self._holder(turn.slice.table), (turn.slice.ds,))
        for entry in self._entries(turn.slice):
            if entry.number != turn.entry.number:
                self._drop(journal_of(turn.slice.table), entry.row.values)

    @contextmanager
    def turn(self, slice: Slice, version: Version | None = None) -> Iterator[Turn]:
        """Whoever is in here is alone with this slice, on every machine. Waits for its turn."""
        journal, holder = journal_of(slice.table), new_holder()
        turn = take_turn(
            slice,
            holder,
            Waiting(self.lease_seconds),
            self.budget_seconds,
            read=lambda: self._entries(slice),
            create=lambda number, entries: self._enter(slice, number, version, holder, entries),
            drop=lambda entry: self._drop(journal, entry.row.values),
        )
        try:
            yield turn
        except Transient:
            raise  # perhaps something is still under way: others wait until it surely is not
        except DaysliceError:
            with contextlib.suppress(DaysliceError):
                self._drop(journal, turn.entry.row.values)
            raise
        self._end(turn)

    def _enter(self, slice: Slice, number: int, version: Version | None, holder: str, entries: list[Entry]) -> None:
        """Try to create an entry. Whether it worked, the next look at the journal says."""
        journal, like = journal_of(slice.table), self._holder(slice.table)
        placed = version or Version(slice, "", Receipt(rows=0), self._location(like))
        parameters = partition_parameters(placed, _first(entries, placed) or number, holder)
        for last in (False, True):
            try:
                self._add(journal, entry_values(slice, number), placed.location, parameters)
                return
            except self.raced:
                return
            except DaysliceError:
                if last:
                    raise
                # Somebody else may make it at this moment, so one that is there by now is no other error.
                if self._table(journal) is None:
                    self._make_journal(journal, like)

    def _end(self, turn: Turn) -> None:
        """The turn is over: its entry stays as a kept version's. What dead publishers left below it is cleared."""
        journal = journal_of(turn.slice.table)
        for entry in turn.known:
            if entry.holder and entry.number != turn.entry.number:
                self._drop(journal, entry.row.values)
        if turn.entry.version is None:
            self._drop(journal, turn.entry.row.values)
            return
        parameters = partition_parameters(turn.entry.version, turn.entry.version.sequence)
        with contextlib.suppress(*self.raced):  # its slice may have been removed since
            self._alter(journal, turn.entry.row, turn.entry.row.location, parameters)

    def _show(self, turn: Turn, version: Version, sequence: int, as_columns: bool) -> None:
        holder = self._holder(turn.slice.table)
        location, parameters = placed(version, sequence, as_columns)
        for _ in range(_TRIES):
            row = self._row(turn.slice)
            self.check_left_out(turn, version, shown_version(turn.slice, row) if row else None)
            if row is not None:
                self._remember(turn, shown_version(turn.slice, row))
            turn.check()
            try:
                if row is None:
                    self._add(holder, (turn.slice.ds,), location, parameters, as_columns)
                else:
                    self._erase(holder, row)
                    self._alter(holder, row, location, parameters, as_columns)
                return
            except self.raced:
                continue
        raise Transient(f"{version.slice}: its partition comes and goes, by somebody else's hand: try again")

    def _remember(self, turn: Turn, shown: Version) -> None:
        """A version that is shown and has no ended entry: of a dead publisher, or from before there was a journal."""
        ended = [entry.version.id for entry in turn.known if entry.version and not entry.holder]
        if not shown.id or shown.id in (*ended, turn.entry.version and turn.entry.version.id):
            return
        journal = journal_of(turn.slice.table)
        for entry in turn.known:
            if entry.version and entry.version.id == shown.id:
                self._alter(journal, entry.row, shown.location, partition_parameters(shown, entry.version.sequence))
                turn.known.remove(entry)
                return
        with contextlib.suppress(*self.raced):
            values = entry_values(turn.slice, shown.sequence)
            self._add(journal, values, shown.location, partition_parameters(shown, shown.sequence))

    def _statistics_of(self, turn: Turn, version: Version, staged: Table | None) -> list[Any]:
        """A version's column statistics; [] where there are none. They are no reason to fail a publication."""
        try:
            if staged is not None:
                return self._statistics(staged, ())
            noted = [entry for entry in turn.known if entry.version and entry.version.id == version.id]
            before = [entry for entry in noted if entry.number != turn.entry.number]
            return self._statistics(journal_of(turn.slice.table), before[0].row.values) if before else []
        except DaysliceError as error:
            _logger.warning("%s: its column statistics could not be read: %s", version.slice, error)
            return []

    def _erase(self, holder: Table, row: Row) -> None:
        try:
            self._erase_statistics(holder, row)
        except DaysliceError as error:
            _logger.warning("%s %s: its old column statistics stay: %s", holder, row.values[0], error)

    def _note_statistics(self, turn: Turn, statistics: list[Any]) -> None:
        failures: tuple[type[Exception], ...] = (DaysliceError, *self.raced)
        try:
            turn.check()
            self._write_statistics(self._holder(turn.slice.table), (turn.slice.ds,), statistics)
            self._write_statistics(journal_of(turn.slice.table), turn.entry.row.values, statistics)
        except failures as error:
            _logger.warning("%s: its column statistics could not be written: %s", turn.slice, error)

    def _row(self, slice: Slice) -> Row | None:
        return next(iter(self._rows_of(self._holder(slice.table), [slice.ds])), None)

    def _entries(self, slice: Slice) -> list[Entry]:
        found = [Entry.read(slice, row) for row in self._rows(journal_of(slice.table), slice.ds)]
        return sorted(found, key=lambda entry: entry.number)

    def _holder(self, table: Table) -> Table:
        """The table whose partitions are this one's slices: itself, or what an import's view reads."""
        if table not in self._holders:
            landed = Table(table.schema, table.name + LANDED)
            if self._table(landed) is not None:
                self._holders[table] = landed
            elif self._table(table) is not None:
                self._holders[table] = table
            else:
                return table  # not remembered: the first import may make either
        return self._holders[table]

    @property
    def named(self) -> str:
        """What a message calls the service."""
        raise NotImplementedError

    def tables(self, schema: str, prefix: str = "") -> list[str]:
        """The names of a schema's tables that begin with `prefix`."""
        raise NotImplementedError

    def default_location(self, table: Table) -> str | None:
        """Where a table lies that asks for no place of its own; None where its schema has none."""
        raise NotImplementedError

    def kind(self, table: Table) -> str | None:
        """`slices` for one that is partitioned by ds, `view`, or `table` for any other; None if there is none."""
        raise NotImplementedError

    def _table(self, table: Table) -> Any:
        raise NotImplementedError

    def _location(self, table: Table) -> str:
        raise NotImplementedError

    def _make_list(self, table: Table, keys: Sequence[str], location: str) -> None:
        """A table of no rows, partitioned by these keys. One that is there is fine."""
        raise NotImplementedError

    def _values(self, table: Table) -> list[tuple[str, ...]]:
        """The values of all partitions; none of a table that is not there."""
        return [row.values for row in self._rows(table)]

    def _make_journal(self, journal: Table, like: Table) -> None:
        """A table with `like`'s columns, partitioned by `journal.KEYS`. One that is there is fine."""
        raise NotImplementedError

    def _ds(self, table: Table) -> list[str]:
        """The first value of each partition, in any order."""
        raise NotImplementedError

    def _rows(self, table: Table, ds: str | None = None) -> Iterator[Row]:
        """All partitions of a table, or those whose first value is `ds`; none of a table that is not there."""
        raise NotImplementedError

    def _rows_between(self, table: Table, first: str, last: str) -> Iterator[Row]:
        """The partitions of a table of slices from one ds to another, as text."""
        raise NotImplementedError

    def _session(self) -> AbstractContextManager["Partitioned"]:
        """Another connection to the same service, for a thread of its own."""
        raise NotImplementedError

    def _rows_of(self, table: Table, ds: list[str]) -> Iterator[Row]:
        """The partitions of a table of slices for these ds."""
        raise NotImplementedError

    def _add(
        self,
        table: Table,
        values: Sequence[str],
        location: str,
        parameters: Mapping[str, str],
        is_orc: bool = False,
    ) -> None:
        """Create a partition, of the table's format unless `is_orc`. Raises one of `raced` if it is there."""
        raise NotImplementedError

    def _alter(
        self, table: Table, row: Row, location: str, parameters: Mapping[str, str], is_orc: bool = False
    ) -> None:
        """Replace all that a partition says, in one call. Raises one of `raced` if it is gone."""
        raise NotImplementedError

    def _add_many(self, table: Table, new: Sequence[New]) -> None:
        """Create partitions, in few calls."""
        raise NotImplementedError

    def _alter_many(self, table: Table, altered: Sequence[Altered]) -> None:
        """Replace the locations and parameters of partitions, in few calls."""
        raise NotImplementedError

    def _sequence_in(self, turn: Turn, version: Version) -> int:
        """The number that a version has, or gets by this turn."""
        return _sequence(turn, version)

    def _drop(self, table: Table, values: Sequence[str]) -> None:
        """Drop a partition, not its files. None there is fine."""
        raise NotImplementedError

    def _statistics(self, table: Table, values: Sequence[str]) -> list[Any]:
        """The column statistics of a table, or of a partition of it."""
        raise NotImplementedError

    def _write_statistics(self, table: Table, values: Sequence[str], statistics: list[Any]) -> None:
        """Give a partition these column statistics, and no others."""
        raise NotImplementedError

    def _erase_statistics(self, table: Table, row: Row) -> None:
        """Take a partition's column statistics away before it is altered, where that is quick."""
        raise NotImplementedError


def kind_of(type: str, keys: list[str]) -> str:
    """What stands under a name, by its type and partition keys as Hive and Glue have them."""
    if type == "VIRTUAL_VIEW":
        return "view"
    return "slices" if [key.lower() for key in keys] == ["ds"] else "table"


def _first(entries: list[Entry], version: Version) -> int:
    """The sequence of a version that was published before; 0 for one that was not."""
    known = [entry.version.sequence for entry in entries if entry.version and entry.version.id == version.id]
    return min(known, default=0)


def _sequence(turn: Turn, version: Version) -> int:
    return _first(turn.known, version) or turn.entry.number


def _kept(entries: list[Entry], shown: Version | None) -> list[Version]:
    """What is kept, newest first. An entry that has not ended is nobody's yet, unless it is shown already."""
    found = {entry.version.id: entry.version for entry in entries if entry.version and not entry.holder}
    if shown is not None:
        found[shown.id] = shown
    return sorted(found.values(), key=lambda version: version.age, reverse=True)
