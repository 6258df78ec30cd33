"""Files with secrets: only their owner may read them."""

import json
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError
from dayslice.store.directory import write_whole


def write_private(file: Path, text: str) -> None:
    """Write the file, mode 600, in one step: nobody sees half of it, or reads it before it is closed to others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text.encode(), 0o600)


def read_json(file: Path) -> dict[str, Any]:
    """What `write_private` wrote as JSON. Raises DaysliceError for a file that is damaged or half written."""
    try:
        found = json.loads(file.read_text())
    except ValueError:  # bytes that are no text, too
        found = None
    if not isinstance(found, dict):
        raise DaysliceError(f"{file} is damaged: move it away and run the command again, which makes it anew")
    return found
