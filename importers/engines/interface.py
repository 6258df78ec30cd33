"""What every engine does with landed versions."""

from typing import Protocol

from dayslice.slices import Version


class Engine(Protocol):
    """Reads landed files as typed rows, and publishes them. Safe to call from several threads."""

    def count(self, version: Version) -> int:
        """The rows that the engine reads of a staged version, every value cast to its type.

        Raises Refused, naming column and an example, for a value that its type cannot hold.
        """
        ...

    def publish(self, version: Version) -> list[Version]:
        """Make a version the published one of its slice, with the typed views. Gives what is kept no more."""
        ...
