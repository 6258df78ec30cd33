"""Publishers of one slice take turns, in a service that has no compare-and-set for partitions.

Neither Hive nor Glue can alter a partition on a condition, but both create one only if it is not there. So each
publication first creates an entry: a partition (ds, number) of a journal, a table of its own beside the slices, where
`number` is one more than the last. Of two who create the same number one is refused; an entry whose holder is still
at it keeps all others waiting. Then the slice's partition is altered, and the entry says that its turn has ended.

The entries of earlier publications are the kept versions: a rollback and a deletion of old ones need no partition of
the slices themselves to be rewritten. What is reported and what is kept can thus not undo each other.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dayslice.errors import Transient
from dayslice.metastore.interface import Catalog
from dayslice.metastore.partitions import HOLDER, Row, shown_version
from dayslice.metastore.stages import key_prefix, table_key
from dayslice.rules.slices import Slice, Table, Version

SCHEMA = "_dayslice"
# In place of a ds: the turn of whoever makes a table's views.
VIEW = "view"
KEYS = ("ds", "sequence")
# A holder begins its last call to the metastore within BUDGET of its entry; calls time out; at LEASE nothing of it is
# under way any more. Others measure LEASE by their own clocks, from when they first saw the entry.
BUDGET_SECONDS = 60.0
LEASE_SECONDS = 300.0
_POLL_SECONDS = 0.05


def journal_of(table: Table) -> Table:
    """The journal of a table of slices."""
    return Table(SCHEMA, table_key(table))


def journals_of(catalog: Catalog, schema: str) -> list[tuple[str, str]]:
    """The tables of a schema that have a journal: its name, and the table's. Very long names are left out."""
    prefix = key_prefix(schema)
    return [(key, key.removeprefix(prefix)) for key in catalog.tables(SCHEMA, prefix)]


@dataclass(frozen=True)
class Entry:
    """One publication. `version` is None where a turn was taken for something else."""

    number: int
    version: Version | None
    holder: str
    row: Row

    @classmethod
    def read(cls, slice: Slice, row: Row) -> "Entry":
        """From a partition of the journal."""
        version = shown_version(slice, row)
        return cls(int(row.values[1]), version if version.id else None, row.parameters.get(HOLDER, ""), row)


def entry_values(slice: Slice, number: int) -> tuple[str, str]:
    """The values of an entry's partition: the number sorts as text."""
    return slice.ds, f"{number:012}"


def new_holder() -> str:
    """Names one turn of this process, in a way that others on this machine can see that the process is dead."""
    return f"{_machine()}:{os.getpid()}:{psutil.Process().create_time():.2f}:{secrets.token_hex(6)}"


def is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is not there any more. False where that cannot be told."""
    machine, pid, created, _ = [*holder.rsplit(":", 3), "", "", ""][:4]
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(created)) > 1
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _machine() -> str:
    # A container may share its host's name and numbers its processes anew: the boot and the pid namespace tell.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{boot[:13]}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{socket.gethostname()}/{secrets.token_hex(8)}"


@dataclass
class Turn:
    """The right to change what is published of a slice, for as long as the budget lasts."""

    slice: Slice
    entry: Entry
    known: list[Entry]
    until: float

    def check(self) -> None:
        """Raises Transient when the budget is spent: another publisher may begin before a call made now has ended."""
        if time.monotonic() > self.until:
            raise Transient(
                f"{self.slice}: the metastore was too slow: it is not known whether "
                f"{self.entry.version.id if self.entry.version else 'the change'} was made; look, and try again"
            )


@dataclass
class Waiting:
    """Watches an entry that another one holds, until it ends or surely does no more."""

    lease_seconds: float
    seen: dict[tuple[int, str], float] = field(default_factory=dict)

    def is_over(self, entry: Entry) -> bool:
        """Whether nothing is to be awaited of an entry."""
        if not entry.holder or is_dead(entry.holder):
            return True
        first = self.seen.setdefault((entry.number, entry.holder), time.monotonic())
        return time.monotonic() - first > self.lease_seconds

    def pause(self) -> None:
        """Before the next look."""
        time.sleep(_POLL_SECONDS)


def take_turn(
    slice: Slice,
    holder: str,
    waiting: Waiting,
    budget_seconds: float,
    read: Callable[[], list[Entry]],
    create: Callable[[int, list[Entry]], None],
    drop: Callable[[Entry], None],
) -> Turn:
    """Take the next turn, waiting for whoever has it. Each look also finds what became of a call without an answer."""
    until = 0.0
    while True:
        entries = read()
        mine = next((each for each in entries if each.holder == holder), None)
        if mine is None:
            if all(waiting.is_over(each) for each in entries):
                until = time.monotonic() + budget_seconds
                create(max((each.number for each in entries), default=0) + 1, entries)
            else:
                waiting.pause()
        elif mine.number < entries[-1].number or time.monotonic() > until - budget_seconds / 2:
            # Somebody saw the journal before a slice was removed with all its entries; or the wait took too long.
            drop(mine)
        elif all(waiting.is_over(each) for each in entries if each is not mine):
            return Turn(slice, mine, entries, until)
        else:
            waiting.pause()
