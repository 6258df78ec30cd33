"""Versions that are being written on this machine, told apart from those that dead runs left.

Each has a note in `<home>/staging`, locked for as long as its writer lives. Whoever finds a note that nobody locks
knows that its files are nobody's: the next build of the slice removes them.
"""

import fcntl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from dayslice.metastore.interface import Metastore
from dayslice.metastore.stages import stage_name, stage_prefix
from dayslice.rules.slices import Slice
from dayslice.store.interface import Store

FOLDER = "staging"


class Begun:
    """The note of one version. Keep it until the version is published, or is to be left for somebody to look at."""

    def __init__(self, home: Path, slice: Slice, version: str):
        self.file = home / FOLDER / stage_name(slice, version)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.handle: IO[str] | None = self.file.open("a")
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def say(self, message: str) -> None:
        """Why it is not to be published, for `refusals`."""
        if self.handle:
            self.handle.write(message + "\n")
            self.handle.flush()

    def leave(self) -> None:
        """Its writer is done with it, and it is not published: the next build of the slice removes it."""
        if self.handle:
            self.handle.close()
            self.handle = None

    def end(self) -> None:
        """It is published, or gone."""
        self.file.unlink(missing_ok=True)
        self.leave()


def note_refusal(home: Path, stage: str, message: str) -> None:
    """Why a stage on Trino is not to be published. Its table says what it is of; the note only why."""
    folder = home / FOLDER
    # Who may not write here is refused no less.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / stage).write_text(message + "\n")


def forget_refusals(home: Path, slice: Slice) -> None:
    """The slice is made again, or is published."""
    for note in (home / FOLDER).glob(f"{stage_prefix(slice)}v*"):
        with suppress(OSError):
            note.unlink(missing_ok=True)


def refusals(home: Path, slice: Slice) -> list[str]:
    """Why the tries of a slice that left something here were refused, the oldest first."""
    found = []
    for note in sorted((home / FOLDER).glob(f"{stage_prefix(slice)}v*")):
        with suppress(OSError):
            found.append(note.read_text().strip())
    return [each for each in found if each]


def refused_slices(home: Path, slices: Iterable[Slice]) -> dict[Slice, list[str]]:
    """The same of many slices, by one look at the folder: of those only whose tries left something."""
    notes: dict[str, list[Path]] = {}
    for note in sorted((home / FOLDER).glob("*__v*")):
        # A version's id has no other v, and the name of its stage ends with it.
        notes.setdefault(note.name.rpartition("v")[0], []).append(note)
    found: dict[Slice, list[str]] = {}
    for slice in slices if notes else ():
        if stage_prefix(slice) in notes and (said := refusals(home, slice)):
            found[slice] = said
    return found


def remove_left(home: Path, slice: Slice, store: Store, metastore: Metastore) -> None:
    """Remove the files of versions of a slice whose writers are dead or gave up, but for those that are known."""
    prefix = stage_prefix(slice)
    for note in sorted((home / FOLDER).glob(f"{prefix}v*")):
        with suppress(OSError), note.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            version = note.name.removeprefix(prefix)
            if version not in {each.id for each in metastore.versions(slice)}:
                store.remove(f"{slice.table.schema}/{slice.table.name}/{version}")
            note.unlink(missing_ok=True)
