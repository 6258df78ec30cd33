"""Counts the files of one part as its engine reads them, one file behind the copying."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dayslice.engines.landed_csv import Columns
from dayslice_importers.engines.interface import Engine
from dayslice_importers.landing import LandedFile
from dayslice_importers.spool import CountedFile


@dataclass(frozen=True)
class ReadFile:
    """A landed file, and the rows that the engine reads of it; None where only `Engine.count` can say."""

    file: LandedFile
    read: int | None


class Counting:
    """Takes files of one part in turn, and counts each while the next one is being copied.

    `into`: where the engine writes the typed rows of a file; None where it does not.
    """

    def __init__(self, engine: Engine, columns: Columns, into: Callable[[LandedFile], str | None]):
        self.engine = engine
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
            read = self._read(file, counted.local) if counted.local else None
        finally:
            counted.forget()
        return ReadFile(file, read)

    def _read(self, file: LandedFile, local: str) -> int | None:
        return self.engine.count_file(local, self.columns, file.longest, self.into(file))
