"""The one place where a version's files may lie; what a metastore recorded is compared with it before it is used.

Whoever reads, publishes or deletes by a recorded location trusts whoever wrote that record: another home whose copy
this is, a partition that was registered by hand, a warehouse that has moved.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from dayslice.rules.paths import joined
from dayslice.rules.slices import Version

NOT_HERE = "is not in this warehouse"


def own_folders(version: Version) -> str:
    """The last folders of a version's place, in every warehouse."""
    table = version.slice.table
    of_ds = [f"ds={version.slice.ds}"] if version.slice.ds else []
    return joined(table.schema, table.name, version.id, *of_ds)


def moved(version: Version, warehouse: str) -> Version | None:
    """A version as it is recorded where its whole warehouse has moved here; None where it is recorded here already."""
    if not version.location:
        return None
    root, folders = _plain(version.location), own_folders(version)
    if _is_same(root.removesuffix(f"/{folders}"), _plain(warehouse)):
        return None
    return replace(version, location=f"{warehouse.rstrip('/')}/{folders}")


def misplaced(version: Version, warehouse: str | None = None) -> Iterator[str]:
    """A sentence, where the recorded location of a slice's version is not its own; with a warehouse: in that one."""
    if not version.location or not version.slice.ds:
        return
    root, folders = _plain(version.location), own_folders(version)
    if not root.endswith(f"/{folders}"):
        yield f"its recorded place {version.location} is not one of {folders}"
    elif warehouse is not None and not _is_same(root.removesuffix(f"/{folders}"), _plain(warehouse)):
        yield f"its recorded place {version.location} {NOT_HERE}, {warehouse}"


def _plain(location: str) -> str:
    return re.sub("^(s3[an]?|file)://", lambda found: "s3://" if found[1][0] == "s" else "", location).rstrip("/")


@lru_cache(maxsize=64)
def _is_same(root: str, warehouse: str) -> bool:
    """Whether two names are of one folder: a home may be known by a link, too."""
    if root == warehouse:
        return True
    return "://" not in root + warehouse and Path(root).resolve() == Path(warehouse).resolve()
