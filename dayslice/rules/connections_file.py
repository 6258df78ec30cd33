"""`<home>/connections.yml`: those named connections that are embedded servers of this machine.

A line is `name: embedded:user@folder`, the folder below the home. Connections of real databases are in the environment.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from dayslice.errors import UsageError

FILE = "connections.yml"
_ENTRY = re.compile(r"embedded:(?P<user>\w+)@(?P<folder>.+)")


@dataclass(frozen=True)
class EmbeddedServer:
    """Where a server's data lies, and as whom it is read."""

    directory: Path
    user: str


def read_connections(home: Path) -> dict[str, str]:
    """The file's entries as they are written; {} where there is none."""
    file = home / FILE
    return (yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None) or {}


def embedded_server(home: Path, name: str) -> EmbeddedServer | None:
    """The embedded server of a connection; None if it has none. Raises UsageError for any other entry."""
    entry = read_connections(home).get(name)
    if entry is None:
        return None
    found = _ENTRY.fullmatch(str(entry))
    if not found:
        raise UsageError(
            f"{home / FILE}: {name}: only embedded:<user>@<folder> may stand here; the URI of a database goes into the "
            "environment"
        )
    return EmbeddedServer(home / found["folder"], found["user"])


def add_connection(home: Path, name: str, entry: str) -> None:
    """Write an entry, in one step; the others stay."""
    home.mkdir(parents=True, exist_ok=True)
    written = home / f".{FILE}.new"
    written.write_text(yaml.safe_dump({**read_connections(home), name: entry}), encoding="utf-8")
    written.replace(home / FILE)
