"""How a slice's versions lie in a metastore's partition: the published one's receipt, and the kept ones' records.

Both are in the partition's parameters, so that one call changes location, receipt and kept versions together. Pure.
"""

import json
from collections.abc import Mapping

from dayslice.slices import Receipt, Slice, Version

VERSION = "dayslice.version"
KEPT = "dayslice.kept."
# More than anybody rolls back to. The oldest record is dropped for a new one; its files are then an orphan's.
KEPT_AT_MOST = 20


def partition_name(ds: str) -> str:
    """As Hive names it. A ds has no character that Hive would escape."""
    return f"ds={ds}"


def published_version(slice: Slice, location: str, parameters: Mapping[str, str]) -> Version:
    """The version that a partition shows. One registered by others has no id and an empty receipt."""
    own = {k: v for k, v in parameters.items() if not k.startswith(KEPT) and k != VERSION}
    return Version(slice, parameters.get(VERSION, ""), Receipt.from_parameters(own), location)


def kept_versions(slice: Slice, parameters: Mapping[str, str]) -> list[Version]:
    """The earlier versions that a partition remembers, newest first."""
    found = [
        _from_record(slice, key.removeprefix(KEPT), record)
        for key, record in parameters.items()
        if key.startswith(KEPT)
    ]
    return sorted(found, key=lambda version: version.id, reverse=True)


def all_versions(slice: Slice, location: str, parameters: Mapping[str, str]) -> list[Version]:
    """The published version and the kept ones, newest first."""
    versions = [published_version(slice, location, parameters), *kept_versions(slice, parameters)]
    return sorted(versions, key=lambda version: version.id, reverse=True)


def partition_parameters(version: Version, earlier: list[Version]) -> dict[str, str]:
    """The parameters of a partition that shows `version` and remembers `earlier`, and the row counts planners read."""
    kept = sorted((each for each in earlier if each.id and each.id != version.id), key=lambda v: v.id, reverse=True)
    return {
        **version.receipt.to_parameters(),
        VERSION: version.id,
        **{KEPT + each.id: _record(each) for each in kept[:KEPT_AT_MOST]},
        "numRows": str(version.receipt.rows),
        "numFiles": str(version.receipt.files),
        "totalSize": str(version.receipt.bytes),
    }


def _record(version: Version) -> str:
    return json.dumps({"location": version.location, **version.receipt.to_parameters()}, ensure_ascii=False)


def _from_record(slice: Slice, version_id: str, record: str) -> Version:
    parameters = json.loads(record)
    return Version(slice, version_id, Receipt.from_parameters(parameters), parameters["location"])
