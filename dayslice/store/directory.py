"""A store in a plain directory."""

import os
import shutil
from io import FileIO
from pathlib import Path

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

    def folders(self, path: str) -> list[str]:
        """The names of the folders right below a path."""
        folder = self.root / path
        return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []

    def sizes(self, path: str) -> dict[str, int]:
        """The files below a path, with their bytes."""
        return {str(file): file.stat().st_size for file in (self.root / path).rglob("*") if file.is_file()}

    def remove(self, path: str) -> None:
        """Delete everything below a path."""
        shutil.rmtree(self.root / path, ignore_errors=True)
