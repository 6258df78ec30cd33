"""Files with secrets: only their owner may read them."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError


def write_private(file: Path, text: str) -> None:
    """Write the file, mode 600, in one step: nobody sees half of it, or reads it before it is closed to others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(file)


def read_json(file: Path) -> dict[str, Any]:
    """What `write_private` wrote as JSON. Raises DaysliceError for a file that is damaged or half written."""
    try:
        found = json.loads(file.read_text())
    except ValueError:  # bytes that are no text, too
        found = None
    if not isinstance(found, dict):
        raise DaysliceError(f"{file} is damaged: move it away and run the command again, which makes it anew")
    return found
