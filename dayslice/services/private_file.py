"""Files with secrets: only their owner may read them."""

import os
import secrets
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write the file, mode 600, in one step: nobody sees half of it, or reads it before it is closed to others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(file)
