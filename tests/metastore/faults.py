"""Two publishers in one process, of whom one moves at a time: who, and what befalls each call, a script says.

The script is drawn by hypothesis, so that a failure is found again, and made small.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import greenlet
import pytest

from dayslice.metastore import journal, partitioned

ON, SWITCH, LOST, LOST_LATE, KILLED_BEFORE, KILLED_AFTER = range(6)
PATIENCE = 5_000


class Killed(BaseException):
    """The process ended here: nothing is cleaned up."""


class Publishers:
    """Runs one or two operations at once, in an order that the script gives."""

    def __init__(self) -> None:
        self.script: Iterator[int] = iter(())
        self.running: list[greenlet.greenlet] = []
        self.holders: dict[greenlet.greenlet, list[str]] = {}
        self.dead: set[str] = set()
        self.paused = 0
        self.numbers = itertools.count(1)

    def run(self, script: list[int], *operations: Callable[[], Any]) -> list[Any]:
        """What each operation gave, or the exception that ended it."""
        self.script, self.paused = iter(script), 0
        results: list[Any] = [None] * len(operations)

        def perform(number: int, operation: Callable[[], Any]) -> None:
            try:
                results[number] = operation()
            except BaseException as error:
                results[number] = error
                if isinstance(error, Killed):
                    self.dead.update(self.holders[greenlet.getcurrent()])
            self.running.remove(greenlet.getcurrent())

        self.running = [greenlet.greenlet(partial(perform, *each)) for each in enumerate(operations)]
        self.holders = {each: [] for each in self.running}
        while self.running:
            self.running[0].switch()
        return results

    def call(self, method: Callable[[], Any], changes: bool) -> Any:
        """One call to the service."""
        fate = next(self.script, ON)
        if fate == SWITCH:
            self.switch()
        if fate == KILLED_BEFORE:
            raise Killed
        if fate in (LOST, LOST_LATE) and changes:
            # It worked, or not; no answer came, so the client asks again, perhaps much later.
            with contextlib.suppress(Exception):
                method()
            if fate == LOST_LATE:
                self.switch()
        result = method()
        if fate == KILLED_AFTER:
            raise Killed
        return result

    def switch(self) -> None:
        """Let the other one move, if there is one that has not ended."""
        for other in self.running:
            if other is not greenlet.getcurrent():
                other.switch()
                return

    def pause(self) -> None:
        """Instead of sleeping until the other one ends its turn."""
        self.paused += 1
        assert self.paused < PATIENCE, "both wait for each other"
        self.switch()

    def new_holder(self) -> str:
        """A name for a turn, by which it is known who died with it."""
        name = f"holder {next(self.numbers)}"
        self.holders[greenlet.getcurrent()].append(name)
        return name

    def patch(self, monkeypatch: pytest.MonkeyPatch, metastore: type) -> type:
        """A metastore of this class whose calls to its service go by the script, and turns with them."""
        monkeypatch.setattr(partitioned, "new_holder", self.new_holder)
        monkeypatch.setattr(journal, "is_dead", lambda holder: holder in self.dead)
        monkeypatch.setattr(journal.Waiting, "pause", lambda _: self.pause())
        return self.faulty(metastore, ("_add", "_alter", "_drop"), ("_rows", "_rows_of"))

    def faulty(self, metastore: type, changes: Sequence[str], looks: Sequence[str]) -> type:
        """A metastore of this class whose methods of these names go by the script."""

        def by_the_script(name: str) -> Callable[..., Any]:
            def call(this: Any, *args: Any, **kwargs: Any) -> Any:
                def method() -> Any:
                    found = getattr(metastore, name)(this, *args, **kwargs)
                    return iter(list(found)) if isinstance(found, Iterator) else found

                return self.call(method, name in changes) if greenlet.getcurrent() in self.holders else method()

            return call

        return type("Faulty", (metastore,), {name: by_the_script(name) for name in (*changes, *looks)})
