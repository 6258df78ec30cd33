"""What Hive's and Glue's catalogs know of erased persons, and how a version takes the place of another in them.

The list is a table of its own beside the journals, whose partitions are the hashes: each is there or is not, so that
whoever adds one needs to read nothing. It has no files.

Who publishes a slice has read the list as it began, and its receipt says how long that was. In its turn, right before
readers see it, it looks again: a version that was made with a shorter list is refused. So nobody who erases has to know
of builds on other machines: it adds the person, waits until the turns that had begun by then have ended (`settle`), and
finds all that was or will be published.
"""

import contextlib
from collections.abc import Collection
from typing import Any

from dayslice.errors import DaysliceError, Refused
from dayslice.metastore.journal import SCHEMA, Entry, Turn, Waiting, journal_of
from dayslice.metastore.partitions import HOLDER, partition_parameters, placed, shown_version
from dayslice.rules.receipts import LEFT_OUT, rewritten_from
from dayslice.rules.slices import Slice, Table, Version

LIST = Table(SCHEMA, "erased_persons")
KEYS = ("kind", "hash")
# What a partition's first value begins with: a kind of name may be any text, and one says which secret all are made of.
_KIND, _SECRET = "kind_", "secret"


class Erases:
    """Mixed into `dayslice.metastore.partitioned.Partitioned`."""

    def suppressed(self: Any) -> list[tuple[str, str]]:
        """The hashes of erased persons, each with its kind of name."""
        found = [values for values in self._values(LIST) if values[0].startswith(_KIND)]
        return sorted((bytes.fromhex(kind.removeprefix(_KIND)).decode(), hash) for kind, hash in found)

    def suppressed_by(self: Any) -> str:
        """The fingerprint of the secret that they were made with; '' where there are none."""
        # Of two who began the list at once with two secrets, both are told: neither has the whole list's.
        return " ".join(sorted(hash for kind, hash in self._values(LIST) if kind == _SECRET))

    def suppress(self: Any, kind: str, hashes: Collection[str], key: str, when: str, warehouse: str) -> None:
        """Add one person, by all hashes that are looked for."""
        place = f"{warehouse.rstrip('/')}/{LIST.schema}/{LIST.name}"
        if self._table(LIST) is None:
            self._make_list(LIST, KEYS, place)
        for values in [(_SECRET, key), *((_KIND + kind.encode().hex(), hash) for hash in hashes)]:
            with contextlib.suppress(*self.raced):
                self._add(LIST, values, place, {"dayslice.added": when})

    def rewrite(self: Any, before: Version, after: Version, staged: Table | None = None) -> bool:
        """Put another version in the place of a kept one, its number and its being published among that.

        `staged`: the table whose column statistics are the new one's. False where the one before is not kept any more:
        then nothing was changed. Readers see it in one call; who is killed after that does the rest by the same call.
        """
        with self.turn(before.slice) as turn:
            row = self._row(before.slice)
            shown = shown_version(before.slice, row) if row else None
            kept = [entry for entry in turn.known if entry.version and entry.version.id == before.id]
            is_shown = shown is not None and shown.id == before.id
            if not kept and not is_shown:
                return False
            statistics = self._statistics_of(turn, after, staged) if staged else []
            holder, journal = self._holder(before.slice.table), journal_of(before.slice.table)
            turn.check()
            with contextlib.suppress(*self.raced):  # whose slice is removed at this moment, or what of it is kept
                if shown is not None and is_shown:
                    location, parameters = placed(after, shown.sequence, shown.as_columns)
                    self._erase(holder, row)
                    self._alter(holder, row, location, parameters, shown.as_columns)
                    self._write_statistics_of(holder, (before.slice.ds,), statistics)
                for entry in kept:
                    parameters = partition_parameters(after, entry.version.sequence)
                    self._erase(journal, entry.row)
                    self._alter(journal, entry.row, after.location, parameters)
                    self._write_statistics_of(journal, entry.row.values, statistics)
            return True

    def settle(self: Any, table: Table) -> None:
        """Returns when each turn of a table's slices that has begun by now has ended."""
        waiting = Waiting(self.lease_seconds)
        for row in list(self._rows(journal_of(table))):
            if HOLDER not in row.parameters:
                continue
            slice = Slice(table, row.values[0])
            begun = Entry.read(slice, row)
            while not waiting.is_over(begun) and begun.holder in [each.holder for each in self._entries(slice)]:
                waiting.pause()

    def check_left_out(self: Any, turn: Turn, version: Version, shown: Version | None) -> None:
        """Raises Refused for a new version that somebody may be in who was erased since it was begun.

        And for an earlier one that is published again, if another one has taken its place meanwhile.
        """
        ended = [entry.version for entry in turn.known if entry.version and not entry.holder]
        stands = [*ended, *([shown] if shown else [])]
        for each in stands:
            if version.id in rewritten_from(each.receipt):
                raise Refused(f"{version.slice}: {version.id} was written anew as {each.id}, without an erased person")
        made_with = version.receipt.more.get(LEFT_OUT)
        if made_with is None or version.id in [each.id for each in stands]:
            return
        if made_with != str(len(self.suppressed())):
            raise Refused(
                f"{version.slice}: somebody was erased (dayslice erase) while it was made, so it was not published: "
                "make it again"
            )

    def _write_statistics_of(self: Any, table: Table, values: Any, statistics: list[Any]) -> None:
        """They are no reason to fail."""
        if statistics:
            with contextlib.suppress(DaysliceError, *self.raced):
                self._write_statistics(table, values, statistics)
