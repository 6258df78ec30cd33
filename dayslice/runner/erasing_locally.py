"""Erasure on the local engine: files are written anew beside those that go, and one transaction exchanges them.

Who is killed is gone on with: what is done is done, and a folder that is to go is noted before.
"""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime

from dayslice.engines.file_lock import FileLock
from dayslice.engines.suppression import know_key
from dayslice.errors import Transient
from dayslice.metastore.choice import open_metastore, show_readers
from dayslice.metastore.stages import stage_name, written_at
from dayslice.rules.graph import TableNode
from dayslice.rules.keyed_hashes import hash_key
from dayslice.rules.slices import Slice, Version
from dayslice.runner.erasing import Erased, Hashes, Moved, remember
from dayslice.runner.project import Project
from dayslice.runner.rewriting_locally import count_of, holds, rewrite
from dayslice.runner.version_rows import LocalRows
from dayslice.store.choice import open_store


class LocalEraser:
    """See `dayslice.runner.erasing.Eraser`."""

    def __init__(self, project: Project, rows: LocalRows, notes: str, dry_run: bool, since: datetime):
        self.project, self.rows, self.dry_run = project, rows, dry_run
        self.since = since
        """Since when the list is as it is."""
        self.moved: Moved = {}
        self.replaced: list[str] = []
        self.pending = project.target.home / notes / "pending"
        know_key(rows.connection, hash_key())

    def begin(self, nodes: Sequence[TableNode]) -> None:
        """Folders that a run that was killed had noted, and whose versions are not kept any more, go."""
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

    def found(self, node: TableNode, hashes: Hashes) -> Iterator[tuple[Version, int]]:
        """The versions that have such rows."""
        with open_metastore(self.project.target) as metastore:
            history = metastore.history(node.table)
        remember(self.moved, history)
        for versions in history.values():
            for version in reversed(versions):
                if count := count_of(self.rows, node, version, hashes):
                    yield version, count

    def rewrite(self, node: TableNode, version: Version, hashes: Hashes, count: int) -> None:
        """In one transaction."""
        made = rewrite(self.project, self.rows, node, version, hashes, count, self.moved)
        folder = version.location.rpartition("/")[0]
        with self.pending.open("a") as note:
            note.write(json.dumps([str(version.slice), version.id, folder]) + "\n")
        with open_metastore(self.project.target) as metastore:
            if not metastore.rewrite(version, made):
                open_store(made.location.rpartition("/")[0]).remove("")
                return  # let go meanwhile: its files are looked at among those that nobody owns
        self.moved[version.slice, version.id] = made
        self.replaced.append(folder)

    def remove_replaced(self) -> None:
        """Once whoever opens the readers' file sees those."""
        if self.replaced:
            show_readers(self.project.target)
        for folder in self.replaced:
            open_store(folder).remove("")
        self.replaced = []

    def leftovers(self, node: TableNode, hashes: Hashes, done: Erased) -> None:
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
