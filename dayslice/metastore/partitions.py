"""How a slice's versions lie in a metastore's partition: the published one's receipt, and the kept ones' records.

Both are in the partition's parameters, so that one call changes location, receipt and kept versions together. Pure.
"""

import base64
import json
import zlib
from collections.abc import Mapping

from dayslice.rules.slices import Receipt, Slice, Version

VERSION = "dayslice.version"
KEPT = "dayslice.kept."
# The slices of an import `erp.flights`, which is a view, are partitions of the table `erp.flights__landed`.
LANDED = "__landed"
# Hive holds 4000 characters a parameter. Longer texts are compressed, and cut where that is not enough.
_LONGEST = 3900
_PACKED = "dayslice.packed."
# More than anybody rolls back to. The oldest record is dropped for a new one; its files are then an orphan's.
KEPT_AT_MOST = 20


def partition_name(ds: str) -> str:
    """As Hive names it. A ds has no character that Hive would escape."""
    return f"ds={ds}"


def published_version(slice: Slice, location: str, parameters: Mapping[str, str]) -> Version:
    """The version that a partition shows. One registered by others has no id and an empty receipt."""
    unpacked = _unpacked(parameters)
    own = {key: value for key, value in unpacked.items() if not key.startswith(KEPT) and key != VERSION}
    return Version(slice, unpacked.get(VERSION, ""), Receipt.from_parameters(own), location)


def kept_versions(slice: Slice, parameters: Mapping[str, str]) -> list[Version]:
    """The earlier versions that a partition remembers, newest first."""
    found = [
        _from_record(slice, key.removeprefix(KEPT), record)
        for key, record in _unpacked(parameters).items()
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
    parameters = {
        **version.receipt.to_parameters(),
        VERSION: version.id,
        **{KEPT + each.id: _record(each) for each in kept[:KEPT_AT_MOST]},
        "numRows": str(version.receipt.rows),
        "numFiles": str(version.receipt.files),
        "totalSize": str(version.receipt.bytes),
    }
    return _packed(parameters)


def _packed(parameters: Mapping[str, str]) -> dict[str, str]:
    packed: dict[str, str] = {}
    for key, value in parameters.items():
        if len(value) <= _LONGEST:
            packed[key] = value
            continue
        text = base64.b85encode(zlib.compress(value.encode())).decode()
        for number, start in enumerate(range(0, len(text), _LONGEST)):
            packed[f"{_PACKED}{number:03}.{key}"] = text[start : start + _LONGEST]
    return packed


def _unpacked(parameters: Mapping[str, str]) -> dict[str, str]:
    plain = {key: value for key, value in parameters.items() if not key.startswith(_PACKED)}
    cut: dict[str, str] = {}
    for packed in sorted(key for key in parameters if key.startswith(_PACKED)):
        key = packed[len(_PACKED) + len("000.") :]
        cut[key] = cut.get(key, "") + parameters[packed]
    return {**plain, **{key: zlib.decompress(base64.b85decode(text)).decode() for key, text in cut.items()}}


def _record(version: Version) -> str:
    return json.dumps({"location": version.location, **version.receipt.to_parameters()}, ensure_ascii=False)


def _from_record(slice: Slice, version_id: str, record: str) -> Version:
    parameters = json.loads(record)
    return Version(slice, version_id, Receipt.from_parameters(parameters), parameters["location"])
