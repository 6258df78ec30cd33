"""What an engine answers to a SELECT: names, types and rows, as they come."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_AT_ONCE = 1000


@dataclass(frozen=True)
class Answer:
    """`types` are the engine's own words. `fetch`: so many more rows, fewer at the end."""

    names: Sequence[str]
    types: Sequence[str]
    fetch: Callable[[int], Sequence[Sequence[Any]]]

    def rows(self) -> Iterator[Sequence[Any]]:
        """Row by row, fetched in blocks."""
        while rows := self.fetch(_AT_ONCE):
            yield from rows
