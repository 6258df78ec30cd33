"""One slice to import: what is asked, what is found when it is looked at, and what becomes of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo

from psycopg2 import sql

from dayslice.engines.target import Target
from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore.suppressed import LeftOut
from dayslice.rules.graph import TableNode
from dayslice.rules.paths import joined
from dayslice.rules.publications import Source
from dayslice.rules.slices import Slice, Version
from dayslice.store.interface import Store
from dayslice_importers.counting import ReadFile
from dayslice_importers.declaration import LandedColumn
from dayslice_importers.discovery import SourceTable
from dayslice_importers.engines.interface import Engine


class Warehouse(Protocol):
    """What importers know of the project that they import for: where slices go, and whose days they are."""

    @property
    def target(self) -> Target:
        """The engine, and where files lie."""
        ...

    @property
    def time_zone(self) -> ZoneInfo:
        """The time zone of every ds."""
        ...


@dataclass(frozen=True)
class ImportResult:
    """What became of one slice: a published version, or an error.

    `added`: columns that the source got since. `unchanged`: it was looked at again for late rows, and none had come,
    so that the version is the one that stood. `hint`: what would make it faster.
    """

    table: TableNode
    ds: str
    version: Version | None = None
    error: DaysliceError | None = None
    added: tuple[str, ...] = ()
    seconds: float = 0.0
    unchanged: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Progress:
    """What has been read of one slice so far. `expected` rows are an estimate, 0 where there is none."""

    table: TableNode
    ds: str
    rows: int
    bytes: int
    expected: int


@dataclass(frozen=True)
class Job:
    """One slice to import, and where it goes. `again`: it stands, and is looked at once more for late rows."""

    project: Warehouse
    node: TableNode
    ds: str
    store: Store
    engine: Engine
    accept: bool = False
    again: bool = False
    allow_empty: bool = False

    @property
    def is_columnar(self) -> bool:
        """Whether the engine writes typed columns beside the CSV. Raises UsageError for no yes or no."""
        wanted = self.node.meta.get("columnar", True)
        if not isinstance(wanted, bool):
            raise UsageError(f"{self.node.path}: {self.node}: columnar: {wanted!r} is neither true nor false")
        return wanted

    @property
    def slice(self) -> Slice:
        """The slice."""
        return Slice(self.node.table, self.ds)

    @property
    def folder(self) -> str:
        """The table's folder in the store."""
        return joined(self.node.table.schema, self.node.table.name)


@dataclass(frozen=True)
class Prepared:
    """A job that can begin: its columns and the SELECTs of its parts, one a file.

    `published` are the table's slices that stand, by ds; `moment` the source's instant, for the receipt.
    """

    job: Job
    table: SourceTable
    columns: list[LandedColumn]
    selects: list[sql.Composable]
    published: dict[str, Version]
    added: tuple[str, ...]
    hint: str
    version_id: str
    started: str
    moment: dict[str, str]
    source: Source
    undated: int | None = None
    """How many rows of the source are of no day, so that no slice has them; None where that is nothing to ask for."""

    @property
    def version_folder(self) -> str:
        """Where its files go."""
        return f"{self.job.folder}/{joined(self.version_id)}"

    @property
    def typed_folder(self) -> str:
        """Where its typed columns go, beside its CSV."""
        return f"{self.version_folder}/columns/ds={self.job.ds}"

    def typed_file(self, landed: str) -> str | None:
        """The file of the store for the typed rows of a landed one; None where none, or all at once in the end."""
        if not (self.job.is_columnar and self.job.engine.counts_files):
            return None
        self.job.store.make(self.typed_folder)
        name = landed.rpartition("/")[2].partition(".")[0]
        return f"{self.typed_folder}/{name}.parquet"


@dataclass
class Landing:
    """A prepared job while its parts land, perhaps in several threads."""

    prepared: Prepared
    begun: float
    watch: Callable[[Progress], None] | None
    left_out: LeftOut = field(default_factory=LeftOut)
    copied: int = 0
    files: list[ReadFile] = field(default_factory=list)
    left: int = 0
    error: BaseException | None = None
    has_later: Callable[[], bool] = lambda: True
    """Whether the source has rows after the slice's period: asked where the slice turns out empty."""
    orphaned: bool = False
    """Whether files are left that could not be removed: the next run knows of them."""
    publishing: bool = False
    """Whether the metastore was asked to publish it: from then on it may stand, whatever fails."""
    rows: int = 0
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def seen(self, rows: int, bytes: int) -> None:
        """Rows and bytes went by."""
        with self.lock:
            self.rows += rows
            self.bytes += bytes
            if self.watch:
                job, table = self.prepared.job, self.prepared.table
                expected = 0 if job.node.meta.get("on") else table.rows
                self.watch(Progress(job.node, job.ds, self.rows, self.bytes, expected))
