"""A run that publishes together: what it has made lies in a metastore of its own until all of it is published.

On the local target that is a copy of the metastore: what is published in it is seen by this run only, so that later
slices are made of the staged earlier ones, and nothing else has to know of it. For Hive and Glue it is a file with the
staged versions alone, laid over the service (`dayslice.metastore.overlay`). Who is killed leaves the file, which the
next one removes with the files of its versions.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dayslice.engines.target import STAGED_IN, TRIAL, Target, staged_in, truth_beside
from dayslice.errors import Transient
from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name
from dayslice.rules.receipts import published_now
from dayslice.rules.slices import Change, Table
from dayslice.store.choice import open_store

FOLDER = "together"
# Beside a trial's metastore: the tables that were made for it.
_TABLES = ".tables"


class Batch:
    """One such run. Made by `begun`."""

    def __init__(self, target: Target, file: Path, is_trial: bool = False):
        self.target = target
        self.file = file
        self.is_trial = is_trial

    @contextmanager
    def staging(self) -> Iterator[None]:
        """In here, and in processes that are started in here, what is published is staged."""
        own = {STAGED_IN: str(self.file), **({TRIAL: "1"} if self.is_trial else {})}
        os.environ.update(own)
        try:
            yield
        finally:
            for name in own:
                del os.environ[name]

    def changes(self) -> list[Change]:
        """The staged versions, each with what was published of its slice before."""
        with SQLiteMetastore(self.file) as own:
            return own.since_copied()

    def publish(self, metastore: Metastore, changes: Sequence[Change]) -> list[Change]:
        """Publish all of it. Gives those of which something else is published by now: then nothing was."""
        staged = {} if self.target.is_local else {each.slice: _stage(each) for each in changes}
        others = set(metastore.change(changes, staged))
        return [each for each in changes if each.slice in others]

    def changes_now(self) -> list[Change]:
        """The same, as they are published at this moment."""
        now = datetime.now(UTC).isoformat()
        return [replace(e, version=published_now(e.version, now)) if e.version else e for e in self.changes()]

    def discard(self) -> None:
        """Remove the files of what it staged, but for what is published, the stage tables, and a trial's own tables."""
        with SQLiteMetastore(self.file) as own:
            written, changes = own.written_since_copied(), own.since_copied()
        with open_metastore(self.target) as metastore:
            known = {v.location.rpartition("/")[0] for each in changes for v in metastore.versions(each.slice)}
            for each in [] if self.target.is_local else changes:
                metastore.drop(_stage(each))
            for table in _tables_of_trial(self.file):
                if not metastore.published_ds(table):
                    metastore.drop(table)
        for folder in written:
            if folder not in known:
                open_store(folder).remove("")


def note_trial_table(table: Table) -> None:
    """In a trial: this table is about to be made for it, empty, and goes with it."""
    file = staged_in()
    assert file is not None
    with file.with_suffix(_TABLES).open("a") as note:
        note.write(json.dumps([table.schema, table.name]) + "\n")


def _tables_of_trial(file: Path) -> list[Table]:
    note = file.with_suffix(_TABLES)
    return [Table(*json.loads(line)) for line in note.read_text().splitlines()] if note.exists() else []


@contextmanager
def begun(target: Target, run: str, is_trial: bool = False) -> Iterator[Batch]:
    """A run's own metastore, which is gone when this ends; what of it is not published goes with it.

    `is_trial`: none of it will be, so that it changes no table that is there.
    """
    discard_left(target)
    folder = folder_of(target)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{run}.sqlite"
    with _locked(file):
        _fill(target, file)
        batch = Batch(target, file, is_trial)
        try:
            yield batch
        finally:
            batch.discard()
            _remove(file)


def folder_of(target: Target) -> Path:
    """Where a target's runs lie: what of one target is published, another one's metastore does not know."""
    return target.home / FOLDER / target.name


def discard_left(target: Target) -> list[str]:
    """Remove what runs left that were killed. Gives the ids of those that are at it."""
    live = []
    for file in sorted(folder_of(target).glob("*.sqlite")):
        try:
            with _locked(file):
                if file.exists():
                    Batch(target, file).discard()
                    _remove(file)
        except Transient:
            live.append(file.stem)
    return live


def _fill(target: Target, file: Path) -> None:
    if target.database_file is not None:
        with SQLiteMetastore(truth_beside(target.database_file)) as metastore:
            # Whole when it has its name: a file that is there can be looked into.
            metastore.copy_to(file.with_suffix(".new"))
    else:
        with SQLiteMetastore(file.with_suffix(".empty")) as empty:
            empty.copy_to(file.with_suffix(".new"))
        for each in file.parent.glob(f"{file.stem}.empty*"):
            each.unlink()
    file.with_suffix(".new").replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Raises Transient where another process has it."""
    with file.with_suffix(".lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Transient(f"{file} is another run's, which is at it") from None
        yield


def _remove(file: Path) -> None:
    for each in file.parent.glob(f"{file.stem}.*"):
        if each.suffix != ".lock":
            each.unlink(missing_ok=True)
    file.with_suffix(".lock").unlink(missing_ok=True)


def _stage(change: Change) -> Table:
    assert change.version is not None
    return Table(STAGING_SCHEMA, stage_name(change.slice, change.version.id))
