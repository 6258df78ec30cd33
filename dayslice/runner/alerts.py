"""Tells people by Apprise: mail, Slack, and a hundred others, by the addresses in DAYSLICE_ALERTS.

An address holds secrets: it is never written anywhere. It is called by its place and its scheme, "the 2nd (slack)".
"""

import logging
import os
import re
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError, UsageError
from dayslice.runner.causes import Message

VARIABLE = "DAYSLICE_ALERTS"
_SCHEME = re.compile(r"[a-z][a-z0-9+]*(?=://)", re.IGNORECASE)


class Addresses:
    """Whom to tell. Raises UsageError for an address that is none, or where Apprise is not installed."""

    def __init__(self, given: str):
        try:
            import apprise  # noqa: PLC0415 - an extra
        except ImportError:
            raise UsageError(f"{VARIABLE} needs Apprise: pip install 'dayslice[alerts]'") from None
        # It would say the addresses of what it could not reach.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self._all: list[tuple[str, Any]] = []
        for number, url in enumerate(_words(given), start=1):
            scheme = _SCHEME.match(url)
            name = f"the {_ordinal(number)} ({scheme[0].lower() if scheme else 'no scheme'})"
            server = _made(apprise.Apprise, url)
            if server is None:
                raise UsageError(
                    f"{VARIABLE}: {name} is no address that Apprise knows; write them as in "
                    "mailto://user:password@example.com or slack://…, with blanks between them"
                )
            self._all.append((name, server))

    def __len__(self) -> int:
        return len(self._all)

    def tell(self, message: Message) -> list[str]:
        """Tell everybody; the names of those that could not be told."""
        return [name for name, server in self._all if not _sent(server, message)]


def addresses() -> Addresses:
    """Those of DAYSLICE_ALERTS. Raises UsageError where it is not set."""
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        raise UsageError(f"{VARIABLE} is not set: it holds Apprise addresses, or the path of a file of them")
    return Addresses(given)


def _words(given: str) -> list[str]:
    if not given.startswith("/"):
        return given.split()
    try:
        lines = Path(given).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{VARIABLE}: {given} cannot be read: {error.strerror or error}") from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _made(apprise: Any, url: str) -> Any:
    try:
        return apprise.instantiate(url, suppress_exceptions=True)
    except Exception:  # an address that a plugin chokes on is one that is wrong
        return None


def _sent(server: Any, message: Message) -> bool:
    try:
        return bool(server.notify(body=message.body, title=f"Dayslice: {message.title}"))
    except Exception:  # its words may hold the address
        return False


def _ordinal(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number if number < 20 else number % 10, 'th') }"


def could_not(names: list[str]) -> DaysliceError:
    """Why somebody was not told, without their address."""
    return DaysliceError(f"{VARIABLE}: could not tell {', '.join(names)}; see that its service answers, then try again")
