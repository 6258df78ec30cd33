"""Tells others that a slice was published, or is gone: a Superset of this machine, and OpenLineage's receiver.

Superset is told by a file in its inbox, and puts its datasets anew within a second. Without one nothing is written.
Nobody waits for either, and whatever goes wrong here, a publication is none the worse for it.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dayslice.engines.target import staged_in
from dayslice.metastore import lineage
from dayslice.rules.publications import Naming, Publication, Source
from dayslice.rules.receipts import published_at
from dayslice.rules.slices import Slice, Version


def announce(
    home: Path,
    version: Version,
    naming: Callable[[], Naming],
    columns: tuple[tuple[str, str], ...] = (),
    source: Source | None = None,
    is_again: bool = False,
) -> None:
    """This version is the published one now. See `Publication` for what is said of it besides."""
    if staged_in():
        return
    receipt = version.receipt
    _tell(home, version.slice, {"published": published_at(receipt)[:19].replace("T", " "), "rows": receipt.rows})
    if lineage.is_configured():
        lineage.tell(lambda: Publication(version, naming(), columns, source, is_again))


def announce_gone(home: Path, slice: Slice) -> None:
    """This slice stands no more."""
    _tell(home, slice, {"published": None, "rows": None})


def _tell(home: Path, slice: Slice, what: dict[str, Any]) -> None:
    inbox = home / "superset" / "inbox"
    if not inbox.is_dir():
        return
    told = {"schema": slice.table.schema, "table": slice.table.name, "ds": slice.ds, **what}
    name = f"published-{time.time_ns()}-{secrets.token_hex(4)}"
    # Whole when it has its name, and no sync to the disk: after a power cut `up` looks at the metastore.
    with suppress(OSError):
        descriptor = os.open(inbox / f".{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(told, out)
        (inbox / f".{name}").rename(inbox / f"{name}.json")
