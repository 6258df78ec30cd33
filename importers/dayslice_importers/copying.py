"""Copies the parts of prepared jobs in parallel streams: several sessions of one source, all on one snapshot."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import psycopg2

from dayslice.engines.landed_csv import PADDING
from dayslice.errors import DaysliceError, Transient
from dayslice.rules.keyed_hashes import hash_key
from dayslice_importers.cleaning import spool_folder
from dayslice_importers.counting import Counting, ReadFile
from dayslice_importers.discovery import REPLICA
from dayslice_importers.engines.long_rows import LONG_ROW
from dayslice_importers.finishing import finish
from dayslice_importers.hashing import HashingWriter, SuppressingWriter
from dayslice_importers.job import ImportResult, Landing
from dayslice_importers.landing import SUFFIX, LandedFile, land
from dayslice_importers.locking import lock_statement
from dayslice_importers.preparing import standing
from dayslice_importers.sessions import LibpqSession, Session, open_stream
from dayslice_importers.source_errors import said_by, shows_values, source_error
from dayslice_importers.types.numeric import NOT_EXACT

Part = tuple[Landing, int]


class Streams:
    """A source's sessions at work. `lead` is the one whose snapshot the others take."""

    def __init__(self, name: str, home: Path, lead: Any, tell: Callable[[ImportResult], None]):
        self.name = name
        self.home = home
        self.lead = lead
        self.tell = tell
        self.sessions: list[Session] = []
        self.missed = ""
        self.stopped = False
        self.guard = threading.Lock()

    def run(self, landings: list[Landing], streams: int) -> None:
        """Copy all parts, the largest tables first, and end each job when its last part has landed."""
        parts: list[Part] = []
        for landing in sorted(landings, key=lambda each: -each.prepared.table.size.bytes):
            landing.left = len(landing.prepared.selects)
            parts += [(landing, number) for number in range(landing.left)]
        queue = iter(parts)
        workers = min(streams, len(parts))
        if workers > 1:
            locks = [lock_statement(each.prepared.selects[0].as_string(self.lead)) for each in landings]
            self._side_by_side(workers, locks, queue)
        # The leading session has locks and snapshot anyway: it does all where no other can be had.
        self._work(LibpqSession(self.lead), queue)

    def _side_by_side(self, workers: int, locks: Sequence[str], queue: Iterator[Part]) -> None:
        with self.lead.cursor() as cursor:
            cursor.execute("select pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        with ThreadPoolExecutor(workers) as executor:
            futures = [executor.submit(self._stream, snapshot, locks, queue) for _ in range(workers)]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End what runs, as the command is being ended."""
        self.stopped = True
        for session in list(self.sessions):
            session.cancel()

    def _stream(self, snapshot: str, locks: Sequence[str], queue: Iterator[Part]) -> None:
        """Fewer streams than asked for, or none, still get it done: too many connections, say, or a pooler."""
        try:
            with open_stream(self.name, self.home, self.lead, snapshot) as session:
                session.lock(locks)
                self.sessions.append(session)
                self._work(session, queue)
        except (DaysliceError, psycopg2.Error) as error:
            self.missed = said_by(error) if isinstance(error, psycopg2.Error) else str(error)

    def _take(self, queue: Iterator[Part]) -> Part | None:
        with self.guard:
            return None if self.stopped else next(queue, None)

    def _take_all(self, queue: Iterator[Part]) -> Iterator[Part]:
        while (part := self._take(queue)) is not None:
            yield part

    def _work(self, session: Session, queue: Iterator[Part]) -> None:
        for landing, number in self._take_all(queue):
            try:
                if landing.error is None:
                    self._land_part(session, landing, number)
            except DaysliceError as error:
                self._ended(landing, error)
            except BaseException as error:
                landing.error = error
                self._give_up(landing)
                raise
            else:
                self._ended(landing, None)

    def _land_part(self, session: Session, landing: Landing, number: int) -> None:
        where = landing.prepared.job.slice
        try:
            select = landing.prepared.selects[number].as_string(self.lead)
            copied, files = copy_part(session, select, landing, number)
        except psycopg2.Error as error:
            # A name may hold quotes; the sentence ends with its type.
            if found := re.search(rf'"(.+) has (\S+), ({NOT_EXACT}\(\d+,\d+\))', str(error), re.DOTALL):
                value = found[2] if shows_values() else "a value (--show-values shows it)"
                raise DaysliceError(
                    f"{where}: column {found[1]} has {value}, {found[3]}; nothing was imported"
                ) from None
            is_replica = landing.prepared.moment["source_role"] == REPLICA
            raise source_error(where, error, is_replica) from None
        with landing.lock:
            landing.copied += copied
            landing.files += files

    def _ended(self, landing: Landing, error: DaysliceError | None) -> None:
        with landing.lock:
            landing.error = landing.error or error
            landing.left -= 1
            if landing.left:
                return
        job = landing.prepared.job
        try:
            if landing.error is not None:
                raise landing.error
            version, unchanged = finish(landing)
        except DaysliceError as failure:
            landing.error = failure
            self._give_up(landing)
            self.tell(ImportResult(job.node, job.ds, error=failure, seconds=time.perf_counter() - landing.begun))
        except BaseException as failure:
            landing.error = failure
            self._give_up(landing)
            raise
        else:
            prepared = landing.prepared
            seconds = time.perf_counter() - landing.begun
            alone = f"read by one session, as no other could be had: {self.missed}" if self._is_alone() else ""
            hint = "; ".join(each for each in (prepared.hint, alone, long_rows(landing.files)) if each)
            self.tell(ImportResult(job.node, job.ds, version, None, prepared.added, seconds, unchanged, hint))

    def _is_alone(self) -> bool:
        return bool(self.missed) and not self.sessions

    @staticmethod
    def _give_up(landing: Landing) -> None:
        """Remove what has landed, unless it is published or may be: then the next import of the slice looks again."""
        job = landing.prepared.job
        try:
            if landing.publishing and _may_stand(landing):
                landing.orphaned = True
                return
            job.store.remove(landing.prepared.version_folder)
        except DaysliceError:
            landing.orphaned = True


def _may_stand(landing: Landing) -> bool:
    """Whether a version whose publication failed may be what readers see: only the metastore can say that it is not."""
    job = landing.prepared.job
    if not isinstance(landing.error, DaysliceError) or isinstance(landing.error, Transient):
        return True
    _, kept = standing([job])[job.slice]
    return landing.prepared.version_id in kept


def long_rows(files: Sequence[ReadFile]) -> str:
    """What to know of rows that are long enough to be noticed in memory; '' where none is."""
    longest = max((each.file.longest for each in files), default=0)
    if longest < LONG_ROW:
        return ""
    return (
        f"a row is up to {longest >> 20} MB long, which an import holds up to four times, and who reads its text more "
        "often: no typed columns were written, and the CSV is read instead; leave the column out (columns_without) or "
        "the rows (row_filter) if that is too much"
    )


def copy_part(session: Session, select: str, landing: Landing, number: int) -> tuple[int, list[ReadFile]]:
    """COPY a SELECT into files. Gives the rows that PostgreSQL reports, and the files, counted by the engine."""
    prepared = landing.prepared
    job, columns = prepared.job, prepared.columns
    header = [column.name for column in columns]
    if len(columns) == 1:
        header.append(PADDING)
    hashes = [position for position, column in enumerate(columns) if column.is_hashed]
    folder = f"{prepared.version_folder}/ds={job.ds}"
    spool = spool_folder(job.project.target.home) if job.engine.counts_files else None
    schema = [column.schema() for column in columns]
    copied = 0

    suppressed = landing.left_out.columns
    named = {n: suppressed[name] for n, name in enumerate(column.name for column in columns) if name in suppressed}

    def copy(out: BinaryIO) -> None:
        nonlocal copied
        kept = SuppressingWriter(out, named, hash_key()) if named else None
        last: Any = kept or out
        writer: Any = HashingWriter(last, hashes, hash_key()) if hashes else last
        copied = session.copy(select, job.node.meta, writer) - (kept.dropped if kept else 0)

    def typed_file(file: LandedFile) -> str | None:
        return None if file.longest >= LONG_ROW else prepared.typed_file(file.path)

    with Counting(job.engine, job.store, schema, typed_file) as counting:
        land(
            job.store,
            lambda file: f"{folder}/part-{number:02}-{file:05}.{SUFFIX}",
            header,
            copy,
            counting.add,
            spool,
            landing.seen,
        )
        return copied, counting.files()
