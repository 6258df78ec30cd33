"""What every engine does with landed versions."""

from typing import Protocol

from dayslice.engines.landed_csv import Columns
from dayslice.rules.slices import Version


class Engine(Protocol):
    """Reads landed files as typed rows, and publishes them. Safe to call from several threads."""

    counts_files: bool
    """Whether `count_file` can count at all: an engine that is elsewhere cannot read this machine's disk."""

    def check(self) -> None:
        """Refuse to write into a warehouse that another one's metastore owns, before a byte is written."""
        ...

    def count_file(self, file: str, columns: Columns, longest: int, into: str | None) -> int | None:
        """The rows that the engine reads of one file of a version with these columns, on this machine's disk.

        With `into` it writes them there, typed, and counts what it wrote. Of every value that may not fit its type it
        has made sure that it does. None where it could not read the file: `count` says why. `longest`: no line has
        more bytes.
        """
        ...

    def count(self, version: Version, columnar: bool) -> int:
        """The rows that the engine reads of a staged version, every value cast to its type; `columnar`: and wrote.

        Raises Refused, naming column and an example, for a value that its type cannot hold.
        """
        ...

    def publish(self, version: Version) -> list[Version]:
        """Make a version the published one of its slice, with the typed views. Gives what is kept no more."""
        ...
