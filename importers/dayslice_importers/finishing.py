"""The end of an import: the counts must agree, then the version is published, with its receipt."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from dayslice import __version__
from dayslice.errors import Refused, Transient
from dayslice.metastore.announcements import announce
from dayslice.rules.keyed_hashes import key_fingerprint
from dayslice.rules.logic import logic_of_import
from dayslice.rules.paths import joined
from dayslice.rules.receipts import FIRST_PUBLISHED, LEFT_OUT, LOGIC, REPLACED, first_published
from dayslice.rules.run_ids import run_id
from dayslice.rules.settings import Empty
from dayslice.rules.slices import Receipt, Version
from dayslice.store.interface import Store
from dayslice_importers.counting import checksum_of_typed
from dayslice_importers.engines.long_rows import LONG_ROW
from dayslice_importers.job import Landing, Prepared
from dayslice_importers.landing import LandedFile
from dayslice_importers.preparing import check_shrink

NOT_COLUMNAR = "not_columnar"
"""In a receipt: why typed columns, which its table would have, were left out."""
# One a process: the slices of one command say so.
RUN = secrets.token_hex(4)


def finish(landing: Landing) -> tuple[Version, bool]:
    """Check and publish what has landed. Gives the version, and whether it is the one that stood, unchanged."""
    prepared, job = landing.prepared, landing.prepared.job
    files = sorted((each.file for each in landing.files), key=lambda file: file.path)
    version = with_left_out(landing, staged_version(prepared, landing.copied, files))
    stands = prepared.published.get(job.ds)
    if job.again and stands and _same(stands, version):
        job.store.remove(prepared.version_folder)
        return stands, True
    check_counts(landing, version)
    check_shrink(prepared, landing.copied)
    version = with_columns(landing, version)
    job.store.sync(prepared.version_folder)
    landing.publishing = True
    for each in job.engine.publish(version):
        job.store.remove(f"{job.folder}/{joined(each.id)}")
    announce(job.project.target.home, version, job.project.target.naming, source=prepared.source)
    return version, False


def staged_version(prepared: Prepared, rows: int, files: list[LandedFile]) -> Version:
    """The version with its receipt."""
    schema = json.dumps([column.schema() for column in prepared.columns], ensure_ascii=False)
    gone = {column.name: column.was for column in prepared.columns if column.source is None}
    comments = {each.name: each.source.comment for each in prepared.columns if each.source and each.source.comment}
    finished = datetime.now(UTC).isoformat()
    stood = prepared.published.get(prepared.job.ds)
    receipt = Receipt(
        rows=rows,
        bytes=sum(file.bytes for file in files),
        files=len(files),
        started=prepared.started,
        finished=finished,
        run=run_id(RUN),
        tool=f"dayslice {__version__}",
        more={
            LOGIC: logic_of_import(prepared.job.node.meta),
            **({REPLACED: stood.id} if stood else {}),
            FIRST_PUBLISHED: (first_published(stood.receipt) or stood.receipt.finished) if stood else finished,
            "columns": schema,
            "schema_fingerprint": hashlib.sha256(schema.encode()).hexdigest()[:16],
            "parts": json.dumps([file.path.rsplit("/", 1)[1] for file in files]),
            "sizes": json.dumps([file.bytes for file in files]),
            "checksums": json.dumps([f"sha256:{file.sha256}" for file in files]),
            "longest_line": str(max(file.longest for file in files)),
            **({"hash_key": key_fingerprint()} if any(column.is_hashed for column in prepared.columns) else {}),
            **({"undated": str(prepared.undated)} if prepared.undated is not None else {}),
            **({"gone": json.dumps(gone, ensure_ascii=False)} if gone else {}),
            **({"comments": json.dumps(comments, ensure_ascii=False)} if comments else {}),
            **prepared.moment,
        },
    )
    location = prepared.job.store.location(f"{prepared.version_folder}/ds={prepared.job.ds}")
    return Version(prepared.job.slice, prepared.version_id, receipt, location)


def with_left_out(landing: Landing, version: Version) -> Version:
    """The version, with the length of the list by which it was read: on Trino, others may add to it meanwhile."""
    if landing.left_out.length is None or landing.prepared.job.project.target.is_local:
        return version
    more = {**version.receipt.more, LEFT_OUT: str(landing.left_out.length)}
    return replace(version, receipt=replace(version.receipt, more=more))


def with_columns(landing: Landing, version: Version) -> Version:
    """The version, with the files of its typed columns in its receipt, where the engine wrote some."""
    prepared = landing.prepared
    if not prepared.job.is_columnar:
        return version
    if (longest := int(version.receipt.more["longest_line"])) >= LONG_ROW:
        prepared.job.store.remove(prepared.typed_folder)
        why = {NOT_COLUMNAR: f"a row is {longest >> 20} MB long"}
        return replace(version, receipt=replace(version.receipt, more={**version.receipt.more, **why}))
    sums = [each.typed_checksum for each in landing.files]
    known = {prepared.typed_file(each.file.path): sum for each, sum in zip(landing.files, sums, strict=True) if sum}
    return with_typed(prepared.job.store, prepared.typed_folder, version, known)


def with_typed(store: Store, folder: str, version: Version, known: Mapping[str | None, str]) -> Version:
    """The version, with the files of typed columns that lie in a folder in its receipt.

    `known`: checksums that were taken of some of them.
    """
    found = store.sizes(folder)
    if not found:
        return version
    sizes = {file.rpartition("/")[2]: size for file, size in sorted(found.items())}
    more = {**version.receipt.more, "typed": json.dumps(list(sizes)), "typed_sizes": json.dumps(list(sizes.values()))}
    sums = [known.get(file) or checksum_of_typed(store, file) for file in (f"{folder}/{name}" for name in sizes)]
    if all(sums):
        more["typed_checksums"] = json.dumps(sums)
    return replace(version, receipt=replace(version.receipt, more=more))


def check_counts(landing: Landing, version: Version) -> None:
    """Refuse a version whose rows are not as many by COPY, in the files and as the engine reads them."""
    job = landing.prepared.job
    landed, read = sum(each.file.rows for each in landing.files), _read(landing, version)
    written = {each.file.path.rpartition("/")[2]: each.file.bytes for each in landing.files}
    sizes = job.store.sizes(f"{landing.prepared.version_folder}/ds={job.ds}")
    lying = {path.rpartition("/")[2]: size for path, size in sizes.items()}
    if lying != written:
        raise Refused(
            f"{job.slice}: {sum(written.values())} bytes were written and {sum(lying.values())} lie in "
            f"{version.location} ({len(written)} files and {len(lying)}, by name), so nothing was published: try again"
        )
    if not landing.copied == landed == read:
        raise Refused(
            f"{job.slice}: the counts do not agree, so nothing was published: COPY gave {landing.copied} rows, the "
            f"files have {landed}, the engine reads {read}"
        )
    if landing.copied == 0 and not job.allow_empty:
        _check_empty(landing)


def _check_empty(landing: Landing) -> None:
    """Refuse a slice of no rows, unless its table may have such, or its source has later rows."""
    job = landing.prepared.job
    if job.node.settings.empty is Empty.REFUSE:
        raise Refused(
            f"{job.slice} is empty, which a {job.node.settings.kind.value} import refuses: --allow-empty takes it, and "
            "`empty: publish` always"
        )
    if "empty" not in job.node.meta and not landing.has_later():
        raise Transient(
            f"{job.slice} is empty, and {landing.prepared.table} has no later row either, so that it may only not have "
            "come yet: try again later; if nothing happened, --allow-empty takes it, and `empty: publish` always"
        )


def _read(landing: Landing, version: Version) -> int:
    """The rows that the engine reads, of what it did not count as it came now. Raises Refused, and says why."""
    counts = [each.read for each in landing.files if each.read is not None]
    return (
        sum(counts)
        if len(counts) == len(landing.files)
        else landing.prepared.job.engine.count(version, _writes_columns(landing))
    )


def _writes_columns(landing: Landing) -> bool:
    return landing.prepared.job.is_columnar and not any(each.file.longest >= LONG_ROW for each in landing.files)


def _same(stands: Version, version: Version) -> bool:
    return all(stands.receipt.more.get(key) == version.receipt.more[key] for key in ("columns", "checksums"))
