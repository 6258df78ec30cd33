"""What every store does. Paths are relative to its root, with `/`."""

from typing import Any, Protocol


class NewFile(Protocol):
    """A file that is being written. It is complete when closed, and never there if abandoned and removed."""

    def write(self, data: Any, /) -> int | None:
        """Take bytes."""
        ...

    def close(self) -> None:
        """Make it whole and durable."""
        ...

    def abandon(self) -> None:
        """Stop writing it, for good. What lies there of it goes with `Store.remove`."""
        ...


class Store(Protocol):
    """A place for files that are written once and deleted by version."""

    def location(self, path: str) -> str:
        """The absolute path or URL of a path."""
        ...

    def create(self, path: str) -> NewFile:
        """A new file to write; it is complete when closed. Raises DaysliceError in one line (no room, no rights)."""
        ...

    def put(self, path: str, content: bytes, replace: bool = False) -> bool:
        """A small file, whole or not at all. Without `replace` one that is there already stays: then False."""
        ...

    def read(self, path: str) -> bytes | None:
        """A small file's bytes; None where there is none."""
        ...

    def checksum(self, path: str) -> str:
        """`sha256:` and the digest of a file's content, read as it lies."""
        ...

    def make(self, path: str) -> None:
        """Make a folder for an engine that writes by itself. Nothing where there are no folders."""
        ...

    def sync(self, path: str) -> None:
        """What an engine wrote below a path outlives a power cut, with the folders that lead there.

        Of a file that is given by itself, the content does.
        """
        ...

    def folders(self, path: str) -> list[str]:
        """The names of the folders right below a path; [] where there is none."""
        ...

    def sizes(self, path: str) -> dict[str, int]:
        """The files below a path, with their bytes; {} where there is none."""
        ...

    def remove(self, path: str) -> None:
        """Delete everything below a path, unfinished files too, or the file there; nothing if there is nothing."""
        ...
