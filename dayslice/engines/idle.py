"""Engines that wait for their next task: to open one takes twenty milliseconds of computing, to empty one takes two.

One that is given back is as one that was just opened: its tables and views went with the database that held them, what
was set for a session with the session. One that may keep more than that (`set`, `load`, `attach`, a python model), that
reads a bucket, whose keys expire, or that cannot be emptied, is closed. None is open while this process is forked: its
threads would not be there in the child.
"""

import atexit
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dayslice.engines.embedded import DATABASE, QUIET, SPILL, memory_limit, settings
from dayslice.store.duckdb_s3 import read_s3

_LASTING = re.compile(
    r"\b(set|reset|setseed|pragma|install|load|attach|detach|use|secret|call|memory|checkpoint|import|export)\b",
    re.IGNORECASE,
)
Place = tuple[Path, str, tuple[tuple[str, Any], ...]]
_idle: list["Engine"] = []
_lock = threading.Lock()


@dataclass
class Engine:
    """A DuckDB in memory, and the session of who has it now."""

    place: Place
    instance: Any
    session: Any = None
    memory: str = ""
    """What it may take."""
    is_lasting: bool = False
    """Whether something was done in it that outlives its session."""

    def saw(self, sql: str) -> None:
        """A statement that is run in it."""
        self.is_lasting = self.is_lasting or _LASTING.search(sql) is not None

    def give_back(self) -> None:
        """Its session is over, and all that was made in it is gone."""
        try:
            self.session.close()
            if not self.is_lasting and "://" not in self.place[1]:
                self.instance.execute(f"detach {DATABASE}")
                self.session = None
                _wait(self)
                return
        except duckdb.Error:
            pass
        self.instance.close()


def lend(home: Path, warehouse: str, parts: int = 1, given: Mapping[str, Any] | None = None) -> Engine:
    """An engine for one task; `parts` of them may be lent in this process at once. Give it back.

    `given`: a profile's settings.
    """
    place, memory = (home, warehouse, tuple((given or {}).items())), memory_limit(parts)
    engine = _waiting(place) or Engine(place, duckdb.connect(":memory:", config=settings(home, parts)), memory=memory)
    try:
        engine.session = engine.instance.cursor()
        engine.session.execute(QUIET)
        if engine.memory != memory:
            engine.session.execute(f"set memory_limit = '{memory}'")
            engine.memory = memory
        engine.session.execute(f"attach ':memory:' as {DATABASE}")
        engine.session.execute(f"use {DATABASE}")
        read_s3(engine.session, warehouse)
        for name, value in place[2]:
            engine.session.execute(f"set {name} = '{value}'")
    except BaseException:
        engine.instance.close()
        raise
    return engine


def close_idle() -> None:
    """Close those that wait."""
    with _lock:
        found = list(_idle)
        _idle.clear()
    for engine in found:
        engine.instance.close()


def _wait(engine: Engine) -> None:
    with _lock:
        others = [each for each in _idle if each.place != engine.place]
        _idle[:] = [each for each in _idle if each.place == engine.place] + [engine]
    for each in others:
        each.instance.close()


def _waiting(place: Place) -> Engine | None:
    with _lock:
        found = next((each for each in _idle if each.place == place), None)
        if found is not None:
            _idle.remove(found)
    if found is not None and not (place[0] / SPILL).exists():  # the home was made anew
        found.instance.close()
        return None
    return found


os.register_at_fork(before=close_idle)
atexit.register(close_idle)
