"""What the metastores of Hive and Glue share: whose partitions a table's slices are, and how one is published."""

from typing import Any

from dayslice.errors import Transient
from dayslice.metastore.partitions import LANDED
from dayslice.rules.slices import Slice, Table, Version

_TRIES = 3


class Partitioned:
    """The half of a metastore that does not depend on its service."""

    raced: tuple[type[Exception], ...]
    """What the service answers when another publisher was quicker, or the slice was deleted meanwhile."""

    def __init__(self) -> None:
        self._holders: dict[Table, Table] = {}

    def publish(self, version: Version) -> None:
        """One call: a partition is created for a new slice, altered for one that is replaced.

        Of two publishers at once the later call decides; each leaves a whole version. Raises DaysliceError if the
        table is not there, Transient if the metastore does not answer.
        """
        for _ in range(_TRIES):
            existing = self._partition(version.slice)
            try:
                if existing is None:
                    self._create(version)
                else:
                    self._replace(existing, version)
                return
            except self.raced:
                continue
        raise Transient(f"{version.slice} is being published by several runs at once: try again")

    def _holder(self, table: Table) -> Table:
        """The table whose partitions are this one's slices: itself, or what an import's view reads."""
        if table not in self._holders:
            landed = Table(table.schema, table.name + LANDED)
            if self._table(landed) is None:
                return table  # not remembered: the first import may make it
            self._holders[table] = landed
        return self._holders[table]

    def _table(self, table: Table) -> Any:
        raise NotImplementedError

    def _partition(self, slice: Slice) -> Any:
        raise NotImplementedError

    def _create(self, version: Version) -> None:
        raise NotImplementedError

    def _replace(self, existing: Any, version: Version) -> None:
        raise NotImplementedError
