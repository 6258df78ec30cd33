"""Whether a version's files are those that its receipt has: by name and size always, by their checksums when asked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dayslice.engines.reading import typed_location
from dayslice.errors import Refused
from dayslice.rules.slices import Version
from dayslice.store.choice import open_store
from dayslice.store.interface import Store


@dataclass(frozen=True)
class Written:
    """A file as a receipt has it. `size` and `checksum` are None where it does not say."""

    folder: str
    name: str
    size: int | None
    checksum: str | None


def written_files(version: Version) -> list[Written]:
    """The files of a version by its receipt; [] for one that names none, of which only their number is known."""
    more = version.receipt.more
    found = []
    lists = (("parts", "sizes", "checksums"), ("typed", "typed_sizes", "typed_checksums"))
    for (parts, sizes, sums), folder in zip(lists, (version.location, typed_location(version.location)), strict=True):
        names = json.loads(more.get(parts, "[]"))
        known_sizes = json.loads(more[sizes]) if sizes in more else [None] * len(names)
        known_sums = json.loads(more[sums]) if sums in more else [None] * len(names)
        found += [Written(folder, *each) for each in zip(names, known_sizes, known_sums, strict=True)]
    return found


def problems(version: Version, deep: bool = False) -> Iterator[str]:
    """What is wrong with a version's files, a sentence each."""
    written = written_files(version)
    if not written:
        found = open_store(version.location).sizes("") if version.location else {}
        if len(found) != version.receipt.files:
            yield f"{len(found)} of its {version.receipt.files} files are in {version.location}"
        return
    for folder in dict.fromkeys(each.folder for each in written):
        store = open_store(folder)
        lying = {file.rpartition("/")[2]: size for file, size in store.sizes("").items()}
        ours = [each for each in written if each.folder == folder]
        for each in ours:
            yield from _problem(store, each, lying.get(each.name), deep)
        for name in sorted(lying.keys() - {each.name for each in ours}):
            yield f"{folder}/{name} is no file of it"


def _problem(store: Store, written: Written, size: int | None, deep: bool) -> Iterator[str]:
    file = f"{written.folder}/{written.name}"
    if size is None:
        yield f"{file} is not there"
    elif written.size is not None and size != written.size:
        yield f"{file} has {size} bytes where {written.size} were written"
    elif deep and written.checksum is not None and store.checksum(written.name) != written.checksum:
        yield f"{file} has another content than was written"


def check_sizes(version: Version) -> None:
    """Refuse to read a version whose files are gone or of another size. On S3 the engine finds a file that is gone."""
    if "://" in version.location:
        return
    for written in written_files(version):
        if written.size is None:
            continue
        try:
            size = Path(written.folder, written.name).stat().st_size
        except OSError:
            raise _damaged(version, f"{written.folder}/{written.name} is not there") from None
        if size != written.size:
            raise _damaged(
                version, f"{written.folder}/{written.name} has {size} bytes where {written.size} were written"
            )


def check_whole(version: Version) -> None:
    """Refuse a version that is damaged, and name its slice."""
    for problem in problems(version):
        raise _damaged(version, problem)


def _damaged(version: Version, problem: str) -> Refused:
    return Refused(
        f"{version.slice}: version {version.id} is damaged: {problem}. Make it again (dayslice build, import), or go "
        f"back to an earlier one: dayslice rollback {version.slice.table.name} --ds {version.slice.ds}"
    )
