"""Which DAGs Airflow has taken already: it is not asked again about one that is what it was, with what was installed.

To ask it takes five seconds of computing, most of which are its imports. What is kept are hashes, in the project's
target/ folder: without it, or damaged, Airflow is asked.
"""

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dayslice.runner.project_index import FOLDER
from dayslice.store.directory import write_whole

FILE = "dags_taken.json"
# Only a text that a person reads is made of it.
_NOT_ASKED = ("sql",)
# More than the tables of any project, so that two branches in turn find theirs.
_AT_MOST = 20_000


class Taken:
    """What is known in one project's folder."""

    def __init__(self, root: Path, time_zone: str):
        self.file = root / FOLDER / FILE
        self.stamp = _hash([time_zone, sys.version, *_installed()])

    def unknown(self, entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those entries of the index that Airflow is to be asked about."""
        known = set(self._read())
        return [each for each in entries if self._of(each) not in known]

    def note(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Airflow takes these. Where they cannot be kept, it is asked again."""
        kept = dict.fromkeys([*self._read(), *map(self._of, entries)])
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, json.dumps(list(kept)[-_AT_MOST:]).encode())

    def _of(self, entry: Mapping[str, Any]) -> str:
        return _hash([self.stamp, {key: value for key, value in entry.items() if key not in _NOT_ASKED}])

    def _read(self) -> list[str]:
        try:
            found = json.loads(self.file.read_text())
            return found if isinstance(found, list) else []
        except (OSError, ValueError):
            return []


def _installed() -> Iterable[str]:
    """The packages, by the names of their folders, which have their versions; and our own files that make DAGs."""
    for entry in dict.fromkeys(sys.path):
        with suppress(OSError):
            yield from sorted(each for each in os.listdir(entry or ".") if each.endswith("-info"))  # noqa: PTH208
    found = importlib.util.find_spec("dayslice_airflow")
    own = [Path(__file__).parent, *([Path(str(found.origin)).parent] if found else [])]
    for file in sorted(file for folder in own for file in folder.rglob("*.py")):
        known = file.stat()
        yield f"{file}\0{known.st_mtime_ns}\0{known.st_size}"


def _hash(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True, default=str).encode(), digest_size=12).hexdigest()
