"""Erasure: every row of a person goes, from all slices, kept versions, stages and landed files, and stays away.

First the person is on the list that imports and builds leave out, so that nobody is brought back meanwhile. Then each
version that has such a row is written anew, put in the place of the one before in one transaction, and that one's files
go at once. Who is killed is gone on with: what is done is done, and a folder that is to go is noted before.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dayslice.engines.file_lock import FileLock
from dayslice.engines.suppression import know_key
from dayslice.errors import Refused, Transient, UsageError
from dayslice.metastore import suppressed
from dayslice.metastore.batch import discard_left
from dayslice.metastore.choice import open_metastore, show_readers, tell_readers
from dayslice.metastore.ownership import check_owner
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.stages import stage_name, written_at
from dayslice.rules.graph import TableNode
from dayslice.rules.keyed_hashes import hash_key, keyed_hash
from dayslice.rules.persons import persons_of
from dayslice.rules.slices import Slice, Version
from dayslice.runner.erasing import Hashes, Moved, count_of, holds, rewrite
from dayslice.runner.project import Project
from dayslice.runner.version_rows import LocalRows, open_rows
from dayslice.store.choice import open_store

FOLDER = "erasures"
PASSES = 5


@dataclass
class Erased:
    """What went of one table, or would: slices, versions of them, rows in these; folders that nobody owned."""

    table: str
    slices: list[str] = field(default_factory=list)
    versions: int = 0
    rows: int = 0
    leftovers: int = 0
    under_way: int = 0
    """Stages with such rows that somebody is writing at this moment."""

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing."""
        return not (self.versions or self.leftovers or self.under_way)


@dataclass(frozen=True)
class Receipt:
    """What an erasure did. Whom it was about is not in it."""

    id: str
    kind: str
    started: str
    finished: str
    tables: list[Erased]


def tables_of(project: Project) -> list[TableNode]:
    """The tables that name persons, upstream first."""
    return [node for node in project.tables.values() if persons_of(node.meta)]


def check_erasable(project: Project, kind: str | None) -> None:
    """Raises UsageError where nobody can be erased here, or nobody of this kind of name."""
    if not project.target.is_local:
        raise UsageError(
            f"dayslice erase rewrites the files of the local engine, and target {project.target.name} is on Trino: "
            "delete the person's rows in the source, and make the slices again"
        )
    kinds = sorted({each for node in project.tables.values() for each in (persons_of(node.meta) or {}).values()})
    if kind is not None and kind not in kinds:
        known = f"known are {', '.join(kinds)}" if kinds else "no table has `person` in its meta"
        raise UsageError(f"--person {kind}=…: no column names a person by {kind}; {known}")


def erase(
    project: Project, kind: str | None, value: str | None, dry_run: bool, heard: Callable[[Erased], None]
) -> Receipt:
    """Erase a person, or, without one, all who are on the list, once more. With `dry_run` nothing is changed.

    `heard` is told of each table. The receipt is kept in the home, unless nothing was found.
    """
    check_erasable(project, kind)
    key, started = hash_key(), datetime.now(UTC)
    with open_metastore(project.target) as metastore:
        assert isinstance(metastore, SQLiteMetastore)
        check_owner(metastore, project.target.warehouse)
        suppressed.check_key(metastore)
        if kind is not None and value is not None:
            hash = keyed_hash(value.encode(), key)
            if not dry_run:
                suppressed.add(metastore, kind, hash)
            known = {kind: frozenset({hash})}
        else:
            known = suppressed.read(metastore)
        since = metastore.suppressed_since() or started
    with _alone(project.target.home, dry_run), open_rows([project.target]) as rows:
        assert isinstance(rows, LocalRows)
        know_key(rows.connection, key)
        found = _Run(project, rows, known, dry_run, since).all_tables()
    for each in found:
        heard(each)
    receipt = Receipt(
        f"e{started:%Y%m%dT%H%M%S}",
        kind or "all on the list",
        started.isoformat(timespec="seconds"),
        datetime.now(UTC).isoformat(timespec="seconds"),
        found,
    )
    if found and not dry_run:
        tell_readers(project.target)
        file = project.target.home / FOLDER / f"{receipt.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(receipt), indent=2))
    return receipt


@contextmanager
def _alone(home: Path, dry_run: bool) -> Iterator[None]:
    if dry_run:
        yield
        return
    (home / FOLDER).mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / FOLDER / "running", wait_seconds=5)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Run:
    def __init__(self, project: Project, rows: LocalRows, known: suppressed.Hashes, dry_run: bool, since: datetime):
        self.project, self.rows, self.known, self.dry_run = project, rows, known, dry_run
        self.since = since
        """Since when the list is as it is."""
        self.moved: Moved = {}
        self.replaced: list[str] = []
        self.pending = project.target.home / FOLDER / "pending"

    def all_tables(self) -> list[Erased]:
        """Once over all; and again until nothing is found, as others publish meanwhile what they had begun before."""
        if not self.dry_run:
            self._finish_pending()
            if live := discard_left(self.project.target):
                raise Refused(
                    f"the run {live[0]} is staging slices to publish them together, and may have such rows: when it "
                    "is done, run dayslice erase --again"
                )
        found: dict[str, Erased] = {}
        for _ in range(1 if self.dry_run else PASSES):
            new = [each for node in tables_of(self.project) if not (each := self._table(node)).is_nothing]
            for each in new:
                total = found.setdefault(each.table, Erased(each.table))
                total.slices = sorted({*total.slices, *each.slices})
                total.versions += each.versions
                total.rows += each.rows
                total.leftovers += each.leftovers
                total.under_way = each.under_way
            if not any(each.versions or each.leftovers for each in new):
                break
        return list(found.values())

    def _table(self, node: TableNode) -> Erased:
        done = Erased(node.name)
        hashes: Hashes = {
            column: self.known[kind] for column, kind in (persons_of(node.meta) or {}).items() if kind in self.known
        }
        if not hashes:
            return done
        with open_metastore(self.project.target) as metastore:
            history = metastore.history(node.table)
        for ds, versions in history.items():
            # The oldest first, so that what replaced it can name it.
            for version in reversed(versions):
                if count := count_of(self.rows, node, version, hashes):
                    if not self.dry_run:
                        self._rewrite(node, version, hashes, count)
                    done.slices = list(dict.fromkeys([*done.slices, ds]))
                    done.versions += 1
                    done.rows += count
        self._remove_replaced()
        self._leftovers(node, hashes, done)
        return done

    def _rewrite(self, node: TableNode, version: Version, hashes: Hashes, count: int) -> None:
        made = rewrite(self.project, self.rows, node, version, hashes, count, self.moved)
        folder = version.location.rpartition("/")[0]
        with self.pending.open("a") as note:
            note.write(json.dumps([str(version.slice), version.id, folder]) + "\n")
        with open_metastore(self.project.target) as metastore:
            assert isinstance(metastore, SQLiteMetastore)
            if not metastore.rewrite(version, made):
                open_store(made.location.rpartition("/")[0]).remove("")
                return  # let go meanwhile: its files are looked at among those that nobody owns
        self.moved[version.slice, version.id] = made
        self.replaced.append(folder)

    def _remove_replaced(self) -> None:
        """The files of versions whose places others took, once whoever opens the readers' file sees those."""
        if self.replaced:
            show_readers(self.project.target)
        for folder in self.replaced:
            open_store(folder).remove("")
        self.replaced = []

    def _finish_pending(self) -> None:
        """Folders that a run that was killed had noted, and whose versions are not kept any more."""
        if not self.pending.exists():
            return
        by_name = {str(node.table): node.table for node in self.project.tables.values()}
        with open_metastore(self.project.target) as metastore:
            for line in self.pending.read_text().splitlines():
                with suppress(ValueError):
                    slice, version, folder = json.loads(line)
                    name, _, ds = slice.partition(" ")
                    kept = metastore.versions(Slice(by_name[name], ds)) if name in by_name else []
                    if version not in {each.id for each in kept}:
                        open_store(folder).remove("")
        self.pending.unlink()

    def _leftovers(self, node: TableNode, hashes: Hashes, done: Erased) -> None:
        """Folders of versions that the metastore does not know: of dead runs, or of live ones."""
        place = f"{self.project.target.warehouse}/{node.table.schema}/{node.table.name}"
        store = open_store(place)
        done.under_way = self._imports_at_it(node)
        with open_metastore(self.project.target) as metastore:
            kept = metastore.history(node.table)
        known = {version.id for versions in kept.values() for version in versions}
        for folder in store.folders(""):
            begun = written_at(folder)
            if begun is None or folder in known:
                continue
            slices = [each.removeprefix("ds=") for each in store.folders(folder) if each.startswith("ds=")]
            with ExitStack() as stack:
                try:
                    for ds in slices:
                        stack.enter_context(self._nobody_writes(node, Slice(node.table, ds), folder))
                except Transient:
                    # Who began it later has the list, and leaves out who is on it.
                    done.under_way += begun < self.since
                    continue
                if not holds(self.rows, f"{place}/{folder}", hashes):
                    continue
                with open_metastore(self.project.target) as metastore:
                    if any(folder in {v.id for v in metastore.versions(Slice(node.table, ds))} for ds in slices):
                        continue  # published meanwhile: the next pass sees it
                done.leftovers += 1
                if not self.dry_run:
                    store.remove(folder)

    def _imports_at_it(self, node: TableNode) -> int:
        """How many imports of a table's slices are under way: each has the list as it was when it began."""
        count = 0
        for lock in (self.project.target.home / "imports").glob(f"{node.table}.*.lock") if node.is_import else ():
            with lock.open("a") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    count += 1
        return count

    @contextmanager
    def _nobody_writes(self, node: TableNode, slice: Slice, version: str) -> Iterator[None]:
        """Raises Transient where somebody of this machine is writing a version."""
        if node.is_import:
            from dayslice_importers.cleaning import Begun  # noqa: PLC0415 - the importers' own notes

            lock = FileLock(Begun(self.project.target.home, slice).file, wait_seconds=0.1)
            lock.acquire()
            try:
                yield
            finally:
                lock.release()
            return
        note = self.project.target.home / "staging" / stage_name(slice, version)
        if not note.exists():
            yield
            return
        with note.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Transient(f"{slice} is being built") from None
            yield


def refuse_unfinished(receipt: Receipt) -> None:
    """Raises Refused where somebody is still writing rows of the person."""
    under_way = [each for each in receipt.tables if each.under_way]
    if under_way:
        raise Refused(
            f"{sum(each.under_way for each in under_way)} slices with such rows are being made at this moment, of "
            f"{', '.join(each.table for each in under_way)}: when they are done, run dayslice erase --again"
        )
