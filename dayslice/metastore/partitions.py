"""How a version lies in a metastore's partition: its receipt and id in the partition's parameters. Pure."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dayslice.engines.reading import typed_location
from dayslice.rules.slices import Receipt, Slice, Table, Version

VERSION = "dayslice.version"
SEQUENCE = "dayslice.sequence"
# Who is publishing a version at this moment; not there once it has ended.
HOLDER = "dayslice.holder"
# Where an import's CSV lies, of a partition that shows its typed columns instead.
LANDED_AT = "dayslice.landed_at"
# The slices of an import `erp.flights`, which is a view, are partitions of the table `erp.flights__landed`.
LANDED = "__landed"
# In the names of its typed columns, and in no other's.
TYPED = "@"
# The databases behind Hive hold 4000 bytes a parameter, MySQL's in latin1: what is longer, or more than plain ASCII, is
# compressed into ASCII, and cut where that is not enough.
_LONGEST = 3900
_PACKED = "dayslice.packed."
_PREFIX = len(_PACKED)


@dataclass(frozen=True)
class Row:
    """A partition as a metastore gives it. `held` is the service's own form of it."""

    values: tuple[str, ...]
    location: str
    parameters: Mapping[str, str]
    held: Any = None


def partition_name(ds: str) -> str:
    """As Hive names it. A ds has no character that Hive would escape."""
    return f"ds={ds}"


def shown_version(slice: Slice, row: Row) -> Version:
    """The version that a partition shows. One registered by others has no id and an empty receipt."""
    unpacked = _unpacked(row.parameters)
    take = unpacked.pop
    id, sequence, landed_at = take(VERSION, ""), int(take(SEQUENCE, 0)), take(LANDED_AT, None)
    take(HOLDER, None)
    location = row.location if landed_at is None else landed_at
    return Version(slice, id, Receipt.from_parameters(unpacked), location, sequence, landed_at is not None)


def is_own_column(table: Table, name: str) -> bool:
    """Whether a partition of a table says that it has this column.

    An import's says so of the texts that land, which are found by their places, in front. Its typed columns are found
    by their names, in whatever place they are.
    """
    return not (table.name.endswith(LANDED) and TYPED in name)


def partition_parameters(version: Version, sequence: int, holder: str = "") -> dict[str, str]:
    """The parameters of a partition that shows `version`, and the row counts that planners read."""
    parameters = {
        **version.receipt.to_parameters(),
        VERSION: version.id,
        SEQUENCE: str(sequence),
        "numRows": str(version.receipt.rows),
        "numFiles": str(version.receipt.files),
        "totalSize": str(version.receipt.bytes),
    }
    return _packed(parameters | ({HOLDER: holder} if holder else {}))


def placed(version: Version, sequence: int, as_columns: bool) -> tuple[str, dict[str, str]]:
    """The location and the parameters of a slice's partition that shows a version, or the typed columns of it."""
    parameters = partition_parameters(version, sequence)
    if not as_columns:
        return version.location, parameters
    return typed_location(version.location), parameters | {LANDED_AT: version.location}


def _packed(parameters: Mapping[str, str]) -> dict[str, str]:
    packed: dict[str, str] = {}
    for key, value in parameters.items():
        if len(value) <= _LONGEST and value.isascii() and value.isprintable():
            packed[key] = value
            continue
        text = base64.b85encode(zlib.compress(value.encode())).decode()
        for number, start in enumerate(range(0, len(text), _LONGEST)):
            packed[f"{_PACKED}{number:03}.{key}"] = text[start : start + _LONGEST]
    return packed


def _unpacked(parameters: Mapping[str, str]) -> dict[str, str]:
    plain = {key: value for key, value in parameters.items() if key[:_PREFIX] != _PACKED}
    if len(plain) == len(parameters):  # as nearly all are
        return plain
    cut: dict[str, str] = {}
    for packed in sorted(key for key in parameters if key.startswith(_PACKED)):
        key = packed[_PREFIX + len("000.") :]
        cut[key] = cut.get(key, "") + parameters[packed]
    return {**plain, **{key: zlib.decompress(base64.b85decode(text)).decode() for key, text in cut.items()}}
