"""What dead imports left in the store, told apart from what a live one is writing now."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dayslice.engines.file_lock import FileLock
from dayslice.rules.paths import joined
from dayslice.rules.slices import Slice
from dayslice_importers.job import Job

# Of other machines' versions only the age is known: longer than any import may run (connections.SESSION).
SURELY_DEAD = timedelta(hours=24)


def spool_folder(home: Path) -> Path:
    """Where copies of files lie for as long as they are counted. They have no names, and so outlive nobody."""
    return home / "imports"


class Begun:
    """The versions of a slice that were begun on this machine, and the lock that one import of it holds.

    Who has the lock knows that all others that are written there are of dead ones.
    """

    def __init__(self, home: Path, slice: Slice):
        self.file = home / "imports" / joined(f"{slice.table}.{slice.ds}.json")
        self.lock = FileLock(self.file)

    def versions(self) -> list[str]:
        """Those whose import has not ended well."""
        try:
            found: list[str] = json.loads(self.file.read_text())
        except (FileNotFoundError, ValueError):
            return []
        return found

    def add(self, version: str) -> None:
        """Before its first byte is written."""
        self.write([*self.versions(), version])

    def write(self, versions: Iterable[str]) -> None:
        """Replace the list; an empty one is no file."""
        left = list(versions)
        if not left:
            self.file.unlink(missing_ok=True)
            return
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(left))
        new.replace(self.file)


def clean(job: Job, begun: Begun, published: Collection[str], kept: Collection[str]) -> None:
    """Remove what dead imports of a slice left. The caller has its lock.

    `published`: ids of the table's published versions; `kept`: those of this slice, published or not.
    """
    for version in begun.versions():
        if version not in kept:
            job.store.remove(f"{job.folder}/{version}")
    begun.write([])
    if not published:
        return  # an empty metastore may be the wrong one: `dayslice retain` judges that
    oldest = f"v{datetime.now(UTC) - SURELY_DEAD:%Y%m%d%H%M%S%f}"
    for folder in job.store.folders(job.folder):
        if folder in published or folder in kept or folder > oldest:
            continue
        if job.store.folders(f"{job.folder}/{folder}") in ([f"ds={job.ds}"], ["columns", f"ds={job.ds}"]):
            job.store.remove(f"{job.folder}/{folder}")
