"""A store in a plain directory."""

import hashlib
import os
import secrets
import shutil
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory

from dayslice.errors import DaysliceError
from dayslice.store.interface import NewFile


class SyncedFile(FileIO):
    """Is on the disk, not only in memory, when it is closed."""

    def close(self) -> None:
        """Flush to the disk, then close."""
        if not self.closed:
            os.fsync(self.fileno())
        super().close()

    def abandon(self) -> None:
        """Close without waiting for the disk."""
        super().close()


class Directory:
    """See `dayslice.store.interface.Store`."""

    def __init__(self, root: str):
        self.root = Path(root)

    def location(self, path: str) -> str:
        """The absolute path."""
        return str((self.root / path).absolute())

    def create(self, path: str) -> NewFile:
        """A new file; the folders above it are made."""
        file = self.root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return SyncedFile(file, "xb")
        except OSError as error:
            raise DaysliceError(f"cannot write {file}: {error.strerror}") from None

    def put(self, path: str, content: bytes, replace: bool = False) -> bool:
        """A small file, written beside its place and put there."""
        file = self.root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as beside:
                new = Path(beside) / file.name
                new.write_bytes(content)
                if replace:
                    replace_file(new, file)
                    return True
                sync(new)
                return _place_first(new, file)
        except OSError as error:
            raise DaysliceError(f"cannot write {file}: {error.strerror}") from None

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None."""
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def checksum(self, path: str) -> str:
        """The digest of a file."""
        with (self.root / path).open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"

    def make(self, path: str) -> None:
        """Make a folder for an engine to write in."""
        folder = self.root / path
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DaysliceError(f"cannot write {folder}: {error.strerror}") from None

    def sync(self, path: str) -> None:
        """Every file below a path, and every folder that leads to one, the root's own among them, is on the disk."""
        folder = self.root / path
        try:
            if folder.is_file():
                sync(folder)
                return
            for below, _, files in os.walk(folder, topdown=False):
                for name in files:
                    sync(Path(below) / name)
                sync(Path(below))
            for above in folder.parents:
                sync(above)
                if not above.is_relative_to(self.root):
                    break  # the folder that has the root's name in it
        except OSError as error:
            raise DaysliceError(f"cannot write {folder}: {error.strerror}") from None

    def folders(self, path: str) -> list[str]:
        """The names of the folders right below a path."""
        folder = self.root / path
        return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []

    def sizes(self, path: str) -> dict[str, int]:
        """The files below a path, with their bytes."""
        return {str(file): file.stat().st_size for file in (self.root / path).rglob("*") if file.is_file()}

    def remove(self, path: str) -> None:
        """Delete everything below a path, or the file there."""
        place = self.root / path
        if place.is_file():
            place.unlink(missing_ok=True)
            return
        shutil.rmtree(place, ignore_errors=True)


def _place_first(new: Path, file: Path) -> bool:
    try:
        file.hardlink_to(new)
    except FileExistsError:
        return False
    except OSError:  # a file system without links: whole, unless the machine fails in this moment
        try:
            with SyncedFile(file, "xb") as placed:
                placed.write(new.read_bytes())
        except FileExistsError:
            return False
    sync(file.parent)
    return True


def sync(path: Path) -> None:
    """A file's content, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(file: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a small file in one step: whoever opens it finds the old one or the new one, whole. Not durably.

    Whatever goes wrong, the old one stands and nothing else is left beside it. `mode`: before the process's umask.
    """
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(content)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def replace_file(new: Path, file: Path) -> None:
    """Put a new file into the place of another one, durably: whoever opens it finds one of the two, whole."""
    sync(new)
    new.replace(file)
    sync(file.parent)
