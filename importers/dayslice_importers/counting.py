"""Counts the files of one part as its engine reads them, one file behind the copying."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dayslice.engines.landed_csv import Columns
from dayslice.store.interface import Store
from dayslice_importers.engines.interface import Engine
from dayslice_importers.landing import LandedFile
from dayslice_importers.spool import CountedFile


@dataclass(frozen=True)
class ReadFile:
    """A landed file, and the rows that the engine reads of it; None where only `Engine.count` can say.

    `typed_checksum`: of the file of its typed rows; "" where there is none yet.
    """

    file: LandedFile
    read: int | None
    typed_checksum: str = ""


class Counting:
    """Takes files of one part in turn, and counts each while the next one is being copied.

    `into`: the file of the store that the engine writes the typed rows of a landed one into; None where it does not.
    """

    def __init__(self, engine: Engine, store: Store, columns: Columns, into: Callable[[LandedFile], str | None]):
        self.engine = engine
        self.store = store
        self.columns = columns
        self.into = into
        self.counter = ThreadPoolExecutor(1, thread_name_prefix="count")
        self.found: list[Future[ReadFile]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.counter.shutdown(cancel_futures=True)

    def add(self, file: LandedFile, counted: CountedFile) -> None:
        """A file is whole. Waits for the one before it, so that no more than two copies lie on the disk."""
        if self.found:
            self.found[-1].result()
        self.found.append(self.counter.submit(self._count, file, counted))

    def files(self) -> list[ReadFile]:
        """All files, when the last one is counted."""
        return [future.result() for future in self.found]

    def _count(self, file: LandedFile, counted: CountedFile) -> ReadFile:
        try:
            return self._read(file, counted.local) if counted.local else ReadFile(file, None)
        finally:
            counted.forget()

    def _read(self, file: LandedFile, local: str) -> ReadFile:
        typed = self.into(file)
        place = self.store.location(typed) if typed else None
        read = self.engine.count_file(local, self.columns, file.longest, place)
        if read is None or typed is None:
            return ReadFile(file, read)
        # Now, while others are copied: in the end nobody else would be at work.
        self.store.sync(typed)
        return ReadFile(file, read, checksum_of_typed(self.store, typed))


def checksum_of_typed(store: Store, file: str) -> str:
    """The checksum that a receipt has of a file that an engine wrote; "" where it would have to be downloaded."""
    return "" if "://" in store.location(file) else store.checksum(file)
