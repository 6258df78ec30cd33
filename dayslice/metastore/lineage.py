"""Tells OpenLineage's receiver of publications, where its own settings name one; the extra `openlineage` sends.

A thread sends, so that no publication waits for it; only the end of the process does, for a few seconds. Whatever goes
wrong, a publication is none the worse for it, and one warning says how many were not told.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dayslice.errors import UsageError
from dayslice.rules.numbers import positive
from dayslice.rules.publications import Publication

WAIT = "DAYSLICE_LINEAGE_WAIT"
WAIT_SECONDS = 5.0
# What waits to be sent while a receiver is away; more is given up.
AT_MOST = 1000
FILE = "openlineage.yml"
# These say each try of the sender's; one warning is enough.
_TALKATIVE = ("urllib3.connectionpool", "openlineage.client.client", "openlineage.client.transport.http")
_logger = logging.getLogger(__name__)


def is_configured() -> bool:
    """Whether OpenLineage's own settings name a receiver: its variables, or its file here or at home."""
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    given = (name for name, value in os.environ.items() if value)
    named = any(name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG") or _is_transport(name) for name in given)
    return named or any(each.is_file() for each in (Path(FILE), Path("~/.openlineage", FILE).expanduser()))


def _is_transport(name: str) -> bool:
    return name.startswith("OPENLINEAGE__TRANSPORT")


def tell(publication: Callable[[], Publication]) -> None:
    """Send it some time soon. Never fails."""
    global _sender  # noqa: PLW0603 - one a process; a forked one has a thread of its own
    try:
        if _sender is None or _sender.process != os.getpid():
            _sender = Sender()
            atexit.register(finish)
        _sender.tell(publication)
    except Exception as error:  # no thread is to be had, say
        _logger.warning("OpenLineage was not told of a publication (%s); what was published stands", in_words(error))


def finish() -> None:
    """Wait a little until all is sent. Called where a process ends, at its end at the latest."""
    global _sender
    sender, _sender = _sender, None
    if sender is not None and sender.process == os.getpid():
        atexit.unregister(finish)
        try:
            seconds = positive(WAIT, os.environ.get(WAIT), WAIT_SECONDS, "seconds")
        except UsageError as error:
            _logger.warning("%s", error)
            seconds = WAIT_SECONDS
        sender.finish(seconds)


class Sender:
    """The thread that sends, with what it has to send."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.left: deque[list[Any]] = deque()
        self.is_over = False
        self.told = self.lost = 0
        self.reason = ""
        self.changed = threading.Condition()
        self.client = self._open()
        self.thread = threading.Thread(target=self._send_all, name="dayslice lineage", daemon=True)
        self.thread.start()

    def tell(self, publication: Callable[[], Publication]) -> None:
        """Put its events last."""
        events: list[Any] = []
        if self.client is not None and len(self.left) < AT_MOST:
            try:
                events = self.events_of(publication(), datetime.now(UTC))
            except Exception as error:
                self.reason = in_words(error)
        with self.changed:
            self.told += 1
            if events:
                self.left.append(events)
                self.changed.notify_all()
            else:
                self.lost += 1

    def finish(self, seconds: float) -> None:
        """Wait until all is sent, so many seconds at most; what is not by then is given up, and said."""
        until = time.monotonic() + seconds
        with self.changed:
            self.changed.wait_for(lambda: not self.left, seconds)
            lost, told, reason = self.lost + len(self.left), self.told, self.reason
            self.is_over = True
            self.left.clear()
            self.changed.notify_all()
        if self.client is not None:
            try:
                self.client.close(max(until - time.monotonic(), 0))
            except Exception as error:
                reason = in_words(error)
        if lost:
            _logger.warning(
                "OpenLineage was not told of %d of %d publications (%s); what was published stands",
                lost,
                told,
                reason or f"no answer within {seconds:g} s",
            )

    def _open(self) -> Any:
        """The client; None, with a reason, where its settings are wrong or it is not installed."""
        try:
            from openlineage.client import OpenLineageClient  # noqa: PLC0415 - half a second, only where it is wanted

            from dayslice.rules.lineage_events import events_of  # noqa: PLC0415 - needs the extra
        except ImportError:
            self.reason = "its client is not installed: pip install 'dayslice[openlineage]'"
            return None
        self.events_of = events_of
        try:
            if (file := os.environ.get("OPENLINEAGE_CONFIG")) and not Path(file).is_file():
                raise FileNotFoundError(f"OPENLINEAGE_CONFIG: there is no file {file}")
            client = OpenLineageClient()
            wanted = (client.config.transport or {}).get("type")
        except Exception as error:
            self.reason = in_words(error)
            return None
        # Without a transport the client prints each event, in the midst of what a command prints.
        if client.transport.kind == "console" and wanted != "console":
            self.reason = "its settings name no transport: set OPENLINEAGE_URL, or transport in OPENLINEAGE_CONFIG"
            return None
        return client

    def _send_all(self) -> None:
        loggers = [logging.getLogger(name) for name in _TALKATIVE]
        for each in loggers:
            each.addFilter(self._is_not_ours)
        try:
            self._send_until_over()
        finally:
            for each in loggers:
                each.removeFilter(self._is_not_ours)

    def _send_until_over(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.left or self.is_over)
                if self.is_over:
                    return
                events = self.left[0]
            reason = self._send(events)
            with self.changed:
                # It may have been given up meanwhile.
                if self.left and self.left[0] is events:
                    self.left.popleft()
                    self.lost += bool(reason)
                    self.reason = reason or self.reason
                self.changed.notify_all()

    def _send(self, events: list[Any]) -> str:
        """Why they could not be sent; '' where they were."""
        try:
            for event in events:
                self.client.emit(event)
        except Exception as error:  # of any transport: HTTP, Kafka, a file
            return in_words(error)
        return ""

    def _is_not_ours(self, record: logging.LogRecord) -> bool:
        return record.thread != self.thread.ident


def in_words(error: Exception) -> str:
    """An error of any transport in a line, without what an address may hold of a login."""
    if url := os.environ.get("OPENLINEAGE_URL"):
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    else:
        place = "its receiver"
    response = getattr(error, "response", None)
    if response is not None:
        return f"{place} answered {response.status_code}"
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return f"{place} does not answer: {type(error).__name__}"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


_sender: Sender | None = None
