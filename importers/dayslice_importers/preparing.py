"""Looks at a source table before anything is written: columns, drift, the SELECTs of its parts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dayslice.engines.landed_csv import columns_of, gone_of
from dayslice.errors import Refused, UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.keyed_hashes import hash_key
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Slice, Version, new_version_id
from dayslice_importers.cleaning import Begun, clean
from dayslice_importers.declaration import landed_columns, source_place
from dayslice_importers.discovery import SourceTable, discover, is_indexed, named_source, snapshot
from dayslice_importers.drift import check_drift
from dayslice_importers.hashing import check_key
from dayslice_importers.job import Job, Prepared
from dayslice_importers.selecting import block_ranges, select_slice

# A table's published versions by ds, and the ids of all kept versions of one slice.
Standing = tuple[dict[str, Version], set[str]]
# 64 MB: reading all of it for one day's rows is noticed.
LARGE_BYTES = 64 << 20


def standing(jobs: Sequence[Job]) -> dict[Slice, Standing]:
    """What the metastore says of each job, in one look."""
    with open_metastore(jobs[0].project.target) as metastore:
        published = {table: metastore.published(table) for table in {job.node.table for job in jobs}}
        return {
            job.slice: (published[job.node.table], {version.id for version in metastore.versions(job.slice)})
            for job in jobs
        }


def announce(prepared: Prepared, stands: Standing) -> None:
    """Write down that a version is begun, before its first byte, and remove what dead imports of its slice left."""
    published, kept = stands
    begun = Begun(prepared.job.project.target.home, prepared.job.slice)
    clean(prepared.job, begun, {version.id for version in published.values()}, kept)
    begun.add(prepared.version_id)


def prepare(connection: Any, job: Job, stands: Standing, streams: int) -> Prepared:
    """What a job will read and write; nothing is written. Raises DaysliceError if it may not."""
    published, _ = stands
    table = discover(connection, *source_place(job.node))
    newest = _newest(published) if published else None
    before = columns_of(newest) if newest else []
    columns = landed_columns(job.node, table, before, gone_of(newest) if newest else {})
    if any(column.is_hashed for column in columns):
        check_key(job.slice, newest.receipt.more.get("hash_key") if newest else None, job.accept)
        hash_key()
    added = check_drift(job.slice, before, [column.schema() for column in columns], job.accept)
    ranges = block_ranges(table, job.node.settings.kind, streams)
    zone = job.project.time_zone
    return Prepared(
        job=job,
        table=table,
        columns=columns,
        selects=[select_slice(job.node, table, columns, job.ds, zone, blocks) for blocks in ranges],
        published=published,
        added=tuple(added),
        hint=_hint(connection, job, table),
        version_id=new_version_id(),
        started=datetime.now(UTC).isoformat(),
        moment=snapshot(connection),
        source=named_source(connection, table),
    )


def streams_of(job: Job) -> int:
    """How many streams may read from the job's source at once. Raises UsageError for what is no such number."""
    streams = job.node.meta.get("streams", 2)
    if isinstance(streams, bool) or not isinstance(streams, int) or not 1 <= streams <= 64:
        raise UsageError(f"{job.node.path}: {job.node}: streams: {streams!r} is no number from 1 to 64")
    return streams


def check_shrink(prepared: Prepared, rows: int) -> None:
    """Refuse a slice that lost more of its rows than it may since the one before."""
    job = prepared.job
    share = job.node.settings.max_shrink
    earlier = [ds for ds in prepared.published if ds < job.ds]
    if share is None or not earlier:
        return
    before = prepared.published[max(earlier)].receipt.rows
    if rows < before * (1 - share):
        raise Refused(
            f"{job.slice} has {rows} rows where {max(earlier)} has {before}: it shrinks by more than max_shrink "
            f"({share:g}) allows; nothing was published"
        )


def _newest(published: dict[str, Version]) -> Version:
    """The version that was written last, whichever ds it is of: a backfill goes through old ones."""
    return max(published.values(), key=lambda version: version.id)


def _hint(connection: Any, job: Job, table: SourceTable) -> str:
    on = str(job.node.meta.get("on"))
    if job.node.settings.kind is not Kind.EVENTS or table.size.bytes < LARGE_BYTES or is_indexed(connection, table, on):
        return ""
    return (
        f"no index of {table} begins with {on}, so each slice reads all of its {table.size.bytes >> 20} MB: "
        f"create index concurrently on {table} ({on})"
    )
