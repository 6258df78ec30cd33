"""Files that no version of the metastore owns: noted when first seen, deleted a grace time later, never too many.

An empty, restored or wrong metastore knows no version at all: nothing is deleted for that, in the first run or ever.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from dayslice.errors import Refused
from dayslice.metastore.stages import grace, is_abandoned, written_at
from dayslice.rules.paths import joined
from dayslice.store.interface import Store

# Marks lie in folders of these names beside the versions, each as <time>.<version>/mark.
RETIRED = "_retired"
UNKNOWN = "_unknown"
# What is unknown may be so many versions, or this share of all, whichever is more.
FEW = 5
SHARE = 0.5
_TIME = "%Y%m%d%H%M%S"


def sweep_files(store: Store, folder: str, known: set[str], dry_run: bool, allow_loss: bool = False) -> Iterator[str]:
    """Remove the versions below `folder` that nobody knows and that were retired, or first seen, a grace time ago.

    Raises Refused where the metastore seems to be the wrong one, unless the loss is allowed.
    """
    versions = [name for name in store.folders(folder) if written_at(name)]
    retired, seen = _marks(store, folder, RETIRED), _marks(store, folder, UNKNOWN)
    strangers = [version for version in versions if version not in known and version not in retired]
    if not allow_loss:
        _check(store, folder, versions, strangers, known)
    for version in versions:
        if version in known:
            continue
        if version in retired:
            is_due = _is_past(retired[version])
        elif version in seen:
            is_due = _is_past(seen[version]) and is_abandoned(version)
        else:
            is_due = False
            if not dry_run:
                mark(store, folder, UNKNOWN, version, "no version of the metastore")
        if is_due:
            yield store.location(f"{folder}/{version}")
            if not dry_run:
                store.remove(f"{folder}/{version}")
    if not dry_run:
        _clear_marks(store, folder, known)


def mark(store: Store, folder: str, kind: str, version: str, why: str) -> None:
    """Note that a version was retired, or seen and not known, now."""
    written = store.create(f"{folder}/{joined(kind, f'{datetime.now(UTC).strftime(_TIME)}.{version}', 'mark')}")
    written.write(why.encode())
    written.close()


def _check(store: Store, folder: str, versions: list[str], strangers: list[str], known: set[str]) -> None:
    if not strangers or (known and len(strangers) <= max(FEW, SHARE * len(versions))):
        return
    what = (
        "nothing of it is published there" if not known else f"{len(versions) - len(strangers)} others are known there"
    )
    raise Refused(
        f"{folder.replace('/', '.')}: {len(strangers)} versions in {store.location(folder)} are not known to the "
        f"metastore ({what}), so that it may be the wrong one, or a restored one: no file was deleted. Look at it; if "
        "they may go: dayslice retain --allow-loss"
    )


def _marks(store: Store, folder: str, kind: str) -> dict[str, str]:
    """When each version was marked: last retired, or first seen."""
    found: dict[str, str] = {}
    for name in store.folders(f"{folder}/{kind}"):
        time, _, version = name.partition(".")
        found[version] = (max if kind == RETIRED else min)(found.get(version, time), time)
    return found


def _clear_marks(store: Store, folder: str, known: set[str]) -> None:
    left = set(store.folders(folder))
    for kind in (RETIRED, UNKNOWN):
        for name in store.folders(f"{folder}/{kind}"):
            version = name.partition(".")[2]
            if version in known or version not in left:
                store.remove(f"{folder}/{kind}/{name}")


def _is_past(time: str) -> bool:
    if not re.fullmatch(r"\d{14}", time):
        return False
    return datetime.now(UTC) - datetime.strptime(time, _TIME).replace(tzinfo=UTC) >= grace()
