"""What others on this machine ask of a running Superset: files in its home, which only its owner can write.

A request is a file `inbox/<id>.json`; the answer is `answers/<id>.json`. A publication waits for no answer, and what
is put there while Superset is down is read when it is up.
"""

import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

from dayslice_superset import assets, freshness

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 0.3
LATE_EVERY_SECONDS = 60
STILL_SECONDS = 60
LOOK_AGAIN_SECONDS = (3, 10, 30, 90)
NO_READERS = (0, 0)
READERS = "readers"


class Inbox:
    """A thread of the server that does what the files in the inbox say."""

    def __init__(self, app: Any, home: Path):
        self.app = app
        self.folder = home / "inbox"
        self.answers = home / "answers"
        self.home = home
        self.looked_for_late = 0.0
        self.waiting = Waiting(home)

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        self.folder.mkdir(exist_ok=True)
        self.answers.mkdir(exist_ok=True)
        threading.Thread(target=self._run, daemon=True, name="inbox").start()

    def _run(self) -> None:
        while True:
            try:
                with self.app.app_context():
                    self._look()
            except Exception:
                log.exception("the inbox could not be read")
            time.sleep(LOOK_EVERY_SECONDS)

    def _look(self) -> None:
        files = sorted(self.folder.glob("*.json"))
        published = [file for file in files if file.name.startswith("published-")]
        for file in files:
            if file not in published:
                self._answer(file)
        told = [json.loads(file.read_text()) for file in published]
        self.waiting.add({(each["schema"], each["table"]) for each in told})
        shown = self.waiting.shown()
        if published or shown or time.monotonic() - self.looked_for_late > LATE_EVERY_SECONDS:
            self.looked_for_late = time.monotonic()
            # All at once: many slices of a backfill are one change of each dataset.
            freshness.heard(self.home, told, shown)
            for file in published:
                file.unlink()

    def _answer(self, file: Path) -> None:
        try:
            request = json.loads(file.read_text())
            result: dict[str, Any] = {"result": self._do(request)}
        except Exception as error:
            log.exception("%s", file.name)
            result = {"error": "; ".join(_sentences(error))}
        # Before the answer, after which the next request may come.
        file.unlink()
        new = self.answers / f".{file.name}"
        new.write_text(json.dumps(result))
        new.replace(self.answers / file.name)

    def _do(self, request: dict[str, Any]) -> Any:
        if request["do"] == "put":
            done = assets.put(request)
            freshness.know(self.home, request["slices"], request["tables"])
            (self.home / READERS).write_text(request["readers"] or "")
            return done
        if request["do"] == "read":
            return assets.read_back()
        raise ValueError(f"unknown request {request['do']!r}")


class Waiting:
    """Tables whose newest slice readers may not see yet; what is cached of them until they do is put anew then.

    On the local engine they see it when the readers' file is made anew, a moment after a publication; and one that is
    put into place now may have been begun before it. On Trino the `_latest` view follows its table, some seconds later,
    and nothing says when: hence several looks.
    """

    def __init__(self, home: Path):
        self.home = home
        self.seen = self._readers()
        self.tables: dict[tuple[str, str], float | None] = {}
        self.looks: list[tuple[float, tuple[str, str]]] = []

    def add(self, tables: set[tuple[str, str]]) -> None:
        """These were published: they wait for the readers' file to change, and a while longer."""
        if self._readers() == NO_READERS:
            now = time.monotonic()
            self.looks += [(now + seconds, table) for seconds in LOOK_AGAIN_SECONDS for table in tables]
        else:
            self.tables.update(dict.fromkeys(tables))

    def shown(self) -> set[tuple[str, str]]:
        """The tables that the readers' file shows anew since the last look, as far as anybody can tell."""
        now = time.monotonic()
        due = {table for at, table in self.looks if at <= now}
        self.looks = [each for each in self.looks if each[0] > now]
        before, self.seen = self.seen, self._readers()
        if before == self.seen or not self.tables:
            return due
        found = set(self.tables)
        kept = {table: since or now for table, since in self.tables.items()}
        self.tables = {table: since for table, since in kept.items() if now - since < STILL_SECONDS}
        return found | due

    def _readers(self) -> tuple[int, int]:
        try:
            stat = Path((self.home / READERS).read_text()).stat()
        except OSError:
            return NO_READERS
        return stat.st_ino, stat.st_mtime_ns


def _sentences(error: Exception) -> list[str]:
    """What an error says, with what Superset hides in its parts."""
    parts = getattr(error, "_exceptions", None) or []
    said = [str(getattr(part, "messages", part)) for part in parts]
    cause = f"{error.__cause__}" if error.__cause__ else ""
    return [str(error) or type(error).__name__, *said, *([cause] if cause else [])]
