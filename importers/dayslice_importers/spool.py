"""A file that is being landed, and where the engine of this machine can read it when it is whole.

A file in a directory is read where it lies. One that goes to a store elsewhere is kept on this machine's disk too, for
the moment that the engine takes to count its rows, so that nothing is fetched back; the store has checked the same
bytes by the checksum that each part is sent with.
"""

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from dayslice.store.interface import NewFile, Store


class CountedFile:
    """See `dayslice.store.interface.NewFile`. `local` is where this machine finds its bytes; None where it does not."""

    def __init__(self, file: NewFile, local: str | None, copy: BinaryIO | None = None):
        self.file = file
        self.local = local
        self.copy = copy

    def write(self, data: Any) -> int | None:
        """Take bytes; the copy takes as many as the file did."""
        taken = self.file.write(data)
        if self.copy:
            self.copy.write(data[:taken])
        return taken

    def close(self) -> None:
        """Make it whole and durable; the copy is there until `forget`."""
        if self.copy:
            self.copy.flush()
        self.file.close()

    def abandon(self) -> None:
        """Stop writing it, for good."""
        self.file.abandon()
        self.forget()

    def forget(self) -> None:
        """Nobody needs the copy any more."""
        if self.copy:
            self.copy.close()
        self.copy = self.local = None


def open_counted(store: Store, path: str, spool: Path | None) -> CountedFile:
    """A new file of a store, with a copy in the folder `spool` where the store's own is not on this machine."""
    file, location = store.create(path), store.location(path)
    if spool is None:
        return CountedFile(file, None)
    if "://" not in location:
        return CountedFile(file, location)
    spool.mkdir(parents=True, exist_ok=True)
    # Without a name, so that a process that is killed leaves nothing.
    copy = tempfile.TemporaryFile(dir=spool)  # noqa: SIM115 - closed by forget
    return CountedFile(file, f"/dev/fd/{copy.fileno()}", copy)
