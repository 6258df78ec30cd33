"""Names and places of staged versions on the trino target, and what dead runs leave of them."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dayslice.metastore.interface import Catalog
from dayslice.rules.numbers import positive
from dayslice.rules.paths import joined
from dayslice.rules.slices import Slice, Table

STAGING_SCHEMA = "_staged"
# Longer than the longest query: until then a stage may be somebody's who is still at it.
GRACE_HOURS = 24.0
# Hive's limit for a table's name.
_NAME_AT_MOST = 128
# How a ds is written in the name of a stage: by day, hour and minute, and for a table without slices.
_OF_EACH_LENGTH = ("0000_00_00", "0000_00_00t00", "0000_00_00t0000", "content")
_VERSION = re.compile(r"v(\d{20})_[0-9a-f]{6}")


@dataclass(frozen=True)
class Stage:
    """A stage table that a run left, and the one place where its version may lie.

    `is_known`: its files stay, as its version was published before the run died, or as the table lies elsewhere.
    """

    table: Table
    location: str
    is_known: bool


def table_location(warehouse: str, table: Table) -> str:
    """The directory that all versions of a table lie under."""
    return f"{warehouse}/{joined(table.schema, table.name)}"


def version_location(warehouse: str, slice: Slice, version: str) -> str:
    """The directory of one version. It lies under no other partition's, so that no engine lists two as one."""
    return f"{table_location(warehouse, slice.table)}/{joined(version, f'ds={slice.ds}')}"


def key_prefix(schema: str) -> str:
    """What the readable words for a schema's tables begin with."""
    return f"t{len(schema)}_{schema.lower()}__"


def table_key(table: Table, longest: int = _NAME_AT_MOST) -> str:
    """One word for a table, in lower case as Hive has it. No two tables have the same: the schema's length is told."""
    readable = key_prefix(table.schema) + table.name.lower()
    if len(readable) <= longest:
        return readable
    # Begins with another letter than the readable ones.
    return f"h{hashlib.sha256(readable.encode()).hexdigest()[:24]}_{readable[: longest - 26]}"


def stage_prefix(slice: Slice) -> str:
    """What the names of a slice's stage tables begin with: readable where Hive's limit allows it, and unique."""
    ds = slice.ds.replace("-", "_").lower()
    room = _NAME_AT_MOST - len("__") * 2 - len(ds) - len("v00000000000000000000_000000")
    return f"{table_key(slice.table, room)}__{ds}__"


def stage_name(slice: Slice, version: str) -> str:
    """The name of a version's stage table."""
    return stage_prefix(slice) + version


def written_at(version: str) -> datetime | None:
    """When a version was begun, by its id; None for a name that is no version's."""
    found = _VERSION.fullmatch(version)
    return datetime.strptime(found.group(1), "%Y%m%d%H%M%S%f").replace(tzinfo=UTC) if found else None


def grace() -> timedelta:
    """How old a stage or an unknown version must be to be nobody's: DAYSLICE_GRACE_HOURS, default 24."""
    name = "DAYSLICE_GRACE_HOURS"
    return timedelta(hours=positive(name, os.environ.get(name), GRACE_HOURS, "hours"))


def is_abandoned(version: str, now: datetime | None = None) -> bool:
    """Whether a version was begun longer ago than the grace time. False for a name that is no version's."""
    begun = written_at(version)
    return begun is not None and (now or datetime.now(UTC)) - begun >= grace()


def stages_of(catalog: Catalog, table: Table) -> Iterator[tuple[Table, str]]:
    """The stage tables of a table, of any ds, with their versions: no other table's."""
    prefixes = {stage_prefix(Slice(table, ds)).removesuffix(f"{ds}__") for ds in _OF_EACH_LENGTH}
    for prefix in sorted(prefixes):
        for name in catalog.tables(STAGING_SCHEMA, prefix):
            found = re.fullmatch(r"(?:[0-9t_]+|content)__(v\d{20}_[0-9a-f]{6})", name.removeprefix(prefix))
            if found:
                yield Table(STAGING_SCHEMA, name), found[1]


def left_behind(catalog: Catalog, warehouse: str, slice: Slice) -> Iterator[Stage]:
    """The stages of a slice that are nobody's any more."""
    prefix = stage_prefix(slice)
    found = [name for name in catalog.tables(STAGING_SCHEMA, prefix) if is_abandoned(name.removeprefix(prefix))]
    known = {version.location for version in catalog.versions(slice)} if found else set()
    for name in found:
        table = Table(STAGING_SCHEMA, name)
        if location := catalog.location(table):
            own = version_location(warehouse, slice, name.removeprefix(prefix))
            yield Stage(table, own, location in known or own in known or _plain(location) != _plain(own))


def _plain(location: str) -> str:
    return re.sub("^s3[an]?://", "s3://", location).rstrip("/")
