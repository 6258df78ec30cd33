"""Many slices changed at once, in a service whose one call changes the partitions of one table.

Each slice's turn is taken first, so that nobody publishes in between; then all new partitions of a table are made, and
all that stand are altered, in as few calls as there are. What a table's slices show changes in one step that way,
unless they are more than `AT_ONCE`; tables come one after another, in the order in which they are given.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from dayslice.errors import DaysliceError, Refused
from dayslice.metastore.journal import Turn
from dayslice.metastore.partitions import Row, partition_parameters, shown_version
from dayslice.rules.slices import Change, Slice, Table, Version

# Turns end by themselves after a minute: so many slices are taken, altered and let go in less.
AT_ONCE = 200
New = tuple[Sequence[str], str, Mapping[str, str]]
"""A partition to be made: its values, location and parameters."""
Altered = tuple[Row, str, Mapping[str, str]]
"""A partition to be altered: as it is, its new location and parameters."""


class Others(DaysliceError):
    """Of some slices something else is published by now."""

    def __init__(self, slices: Sequence[Slice]):
        super().__init__(f"of {slices[0]} something else is published by now")
        self.slices = list(slices)


def change_many(metastore: Any, changes: Sequence[Change], staged: Mapping[Slice, Table] | None) -> list[Slice]:
    """See `Metastore.change`; `metastore` is a `Partitioned`.

    Raises DaysliceError that says what was published where a later table's turn failed."""
    by_table: dict[Table, list[Change]] = {}
    for change in changes:
        by_table.setdefault(change.slice.table, []).append(change)
    others: list[Slice] = []
    for table, some in by_table.items():
        stands = metastore.published(table, [each.slice.ds for each in some])
        others += [each.slice for each in some if _id(stands.get(each.slice.ds)) != each.instead_of]
    if others:
        return others
    done = 0
    for some in by_table.values():
        for start in range(0, len(some), AT_ONCE):
            part = some[start : start + AT_ONCE]
            try:
                _change(metastore, part, staged or {})
            except (Others, Refused) as error:
                if done:
                    left = f"{len(changes) - done} of {len(changes)}"
                    raise DaysliceError(f"{error}: {left} slices are as they were: run it again") from None
                if isinstance(error, Others):
                    return error.slices
                raise
            done += len(part)
    return []


def _change(metastore: Any, changes: Sequence[Change], staged: Mapping[Slice, Table]) -> None:
    """Slices of one table."""
    holder = metastore._holder(changes[0].slice.table)
    with ExitStack() as stack:
        turns = [(each, stack.enter_context(metastore.turn(each.slice, each.version))) for each in changes]
        rows = {row.values[0]: row for row in metastore._rows_of(holder, [each.slice.ds for each in changes])}
        shown = {ds: shown_version(Slice(changes[0].slice.table, ds), row) for ds, row in rows.items()}
        if others := [each.slice for each in changes if _id(shown.get(each.slice.ds)) != each.instead_of]:
            raise Others(others)
        new: list[New] = []
        altered: list[Altered] = []
        noted: list[tuple[Turn, list[Any]]] = []
        for each, turn in turns:
            if each.version is None:
                continue
            noted.append((turn, metastore._statistics_of(turn, each.version, staged.get(each.slice))))
            parameters = partition_parameters(each.version, metastore._sequence_in(turn, each.version))
            row = rows.get(each.slice.ds)
            if row is None:
                new.append(((each.slice.ds,), each.version.location, parameters))
                continue
            metastore._remember(turn, shown[each.slice.ds])
            metastore._erase(holder, row)
            altered.append((row, each.version.location, parameters))
        for each, turn in turns:
            if each.version is not None:
                metastore.check_left_out(turn, each.version, shown.get(each.slice.ds))
            turn.check()
        metastore._add_many(holder, new)
        metastore._alter_many(holder, altered)
        for each, turn in turns:
            if each.version is None:
                metastore._remove_slice(turn)
        for turn, statistics in noted:
            metastore._note_statistics(turn, statistics)


def _id(version: Version | None) -> str:
    return version.id if version else ""
