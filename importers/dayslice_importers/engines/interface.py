"""What every engine does with landed versions."""

from collections.abc import Sequence
from typing import Protocol

from dayslice.rules.slices import Version

# As a version's receipt gives them: name, source name, source type, type, decoding.
Columns = Sequence[Sequence[str]]


class Engine(Protocol):
    """Reads landed files as typed rows, and publishes them. Safe to call from several threads."""

    counts_files: bool
    """Whether `count_file` can count at all: an engine that is elsewhere cannot read this machine's disk."""

    def count_file(self, file: str, columns: Columns, longest: int) -> int | None:
        """The rows that the engine reads of one file of a version with these columns, on this machine's disk.

        Of every value that may not fit its type it has made sure that it does. None where it could not read the file:
        `count` says why. `longest`: no line has more bytes.
        """
        ...

    def count(self, version: Version) -> int:
        """The rows that the engine reads of a staged version, every value cast to its type.

        Raises Refused, naming column and an example, for a value that its type cannot hold.
        """
        ...

    def publish(self, version: Version) -> list[Version]:
        """Make a version the published one of its slice, with the typed views. Gives what is kept no more."""
        ...
