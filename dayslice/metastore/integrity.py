"""Whether a version's files are those that its receipt has: by name and size always, by their checksums when asked."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dayslice.engines.reading import typed_location
from dayslice.errors import Refused
from dayslice.metastore.places import misplaced
from dayslice.rules.slices import Version
from dayslice.store.choice import open_store
from dayslice.store.interface import Store

# So many versions of one table on S3 are looked at by one listing of the table, and not of each.
_MANY = 4


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


def problems(version: Version, deep: bool = False, warehouse: str | None = None) -> Iterator[str]:
    """What is wrong with a version's files, a sentence each. With a warehouse: also that they lie elsewhere."""
    elsewhere = list(misplaced(version, warehouse))
    yield from elsewhere
    if elsewhere:
        return
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


def _problem(store: Store | None, written: Written, size: int | None, deep: bool) -> Iterator[str]:
    file = f"{written.folder}/{written.name}"
    if size is None:
        yield f"{file} is not there"
    elif written.size is not None and size != written.size:
        yield f"{file} has {size} bytes where {written.size} were written"
    elif store and deep and written.checksum is not None and store.checksum(written.name) != written.checksum:
        yield f"{file} has another content than was written"


def check_sizes(versions: Iterable[Version]) -> None:
    """Refuse to read versions whose files are gone or of another size, by a look at each file, not into it."""
    remote: dict[str, list[Version]] = {}
    for version in versions:
        for problem in misplaced(version):
            raise _damaged(version, problem)
        if "://" in version.location:
            remote.setdefault(version.location.rsplit("/", 2)[0], []).append(version)
            continue
        for written in written_files(version):
            _check_size(version, written, _size(f"{written.folder}/{written.name}"))
    for table, some in remote.items():
        sizes = _listed(table) if len(some) >= _MANY else {}
        for version in some:
            folders = {written.folder for written in written_files(version)}
            lying = sizes or {file: size for folder in folders for file, size in _listed(folder).items()}
            for written in written_files(version):
                _check_size(version, written, lying.get(f"{written.folder}/{written.name}"))


def _size(file: str) -> int | None:
    try:
        return os.stat(file).st_size  # noqa: PTH116 - for each slice of a long history
    except OSError:
        return None


def _listed(place: str) -> dict[str, int]:
    """The objects below a place on S3 with their sizes, a thousand a call."""
    bucket = "/".join(place.split("/", 3)[:3])
    return {f"{bucket}/{key}": size for key, size in open_store(place).sizes("").items()}


def _check_size(version: Version, written: Written, size: int | None) -> None:
    if written.size is not None:
        for problem in _problem(None, written, size, deep=False):
            raise _damaged(version, problem)


def check_whole(version: Version) -> None:
    """Refuse a version that is damaged, and name its slice."""
    for problem in problems(version):
        raise _damaged(version, problem)


def _damaged(version: Version, problem: str) -> Refused:
    return Refused(
        f"{version.slice}: version {version.id} is damaged: {problem}. Make it again (dayslice build, import), or go "
        f"back to an earlier one: dayslice rollback {version.slice.table.name} --ds {version.slice.ds}"
    )
