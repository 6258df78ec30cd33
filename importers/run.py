"""Imports slices: COPY, land, count, publish. All tables of one connection are read in one snapshot."""

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg2
from psycopg2 import sql

from dayslice import __version__
from dayslice.calendar import parse_ds
from dayslice.duckdb_file import FileLock
from dayslice.errors import DaysliceError, Refused, UsageError
from dayslice.graph import TableNode
from dayslice.metastores import open_metastore
from dayslice.project import Project
from dayslice.settings import Empty, Kind
from dayslice.slices import Receipt, Slice, Version, new_version_id
from dayslice.snapshots import snapshot_slices
from dayslice.store.interface import Store, open_store
from importers.connections import connect
from importers.declaration import LandedColumn, landed_columns, source_place
from importers.discovery import SourceTable, discover, snapshot
from importers.drift import check_drift
from importers.engines.duckdb import DuckDBEngine
from importers.landing import PADDING, SUFFIX, LandedFile, land
from importers.selecting import select_slice


@dataclass(frozen=True)
class ImportResult:
    """What became of one slice: a published version, or an error. `added` are columns that the source got since."""

    table: TableNode
    ds: str
    version: Version | None = None
    error: DaysliceError | None = None
    added: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Import:
    """One slice to import, and where it goes."""

    project: Project
    node: TableNode
    ds: str
    store: Store
    engine: DuckDBEngine
    accept: bool

    @property
    def slice(self) -> Slice:
        """The slice."""
        return Slice(self.node.table, self.ds)

    @property
    def folder(self) -> str:
        """The table's folder in the store."""
        return f"{self.node.table.schema}/{self.node.table.name}"


def import_tables(
    project: Project,
    tables: Iterable[TableNode],
    ds: str,
    *,
    as_of_now: bool = False,
    accept: bool = False,
    progress: Callable[[ImportResult], None] | None = None,
) -> list[ImportResult]:
    """Import one ds of tables. An error stops its own table only; `progress` is told of each that is done."""
    if project.target.database_file is None:
        raise UsageError(f"target {project.target.name}: imports need the local target so far")
    engine = DuckDBEngine(project.target.database_file, project.target.warehouse)
    store = open_store(project.target.warehouse)
    results: list[ImportResult] = []

    def tell(result: ImportResult) -> None:
        results.append(result)
        if progress:
            progress(result)

    by_connection: dict[str, list[Import]] = {}
    for node in tables:
        try:
            _check_ds(project, node, ds, as_of_now)
        except DaysliceError as error:
            tell(ImportResult(node, ds, error=error))
        else:
            job = Import(project, node, ds, store, engine, accept)
            by_connection.setdefault(str(node.meta["connection"]), []).append(job)
    for name, jobs in by_connection.items():
        _import_from(name, jobs, tell)
    return results


def _check_ds(project: Project, node: TableNode, ds: str, as_of_now: bool) -> None:
    parse_ds(ds, node.settings.grain)
    if node.settings.kind is Kind.CUMULATIVE and not as_of_now and ds not in snapshot_slices(project.time_zone):
        raise Refused(
            f"{node} {ds} is cumulative, a snapshot of now, and {ds} is not now: importing it would falsify history. "
            "If the source does stand as it stood then, say --as-of-now"
        )


def _import_from(name: str, jobs: list[Import], tell: Callable[[ImportResult], None]) -> None:
    try:
        with connect(name, jobs[0].project.target.home) as connection:
            for job in jobs:
                begin = time.perf_counter()
                try:
                    version, added = _import_slice(connection, job)
                    result = ImportResult(job.node, job.ds, version, None, tuple(added))
                except DaysliceError as error:
                    result = ImportResult(job.node, job.ds, error=error)
                tell(ImportResult(result.table, result.ds, result.version, result.error, result.added, _since(begin)))
    except DaysliceError as error:
        for job in jobs:
            tell(ImportResult(job.node, job.ds, error=error))


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def _import_slice(connection: Any, job: Import) -> tuple[Version, list[str]]:
    # One import of a slice at a time on this machine: what lies there unpublished is of a dead one.
    lock = FileLock(job.project.target.home / "locks" / f"{job.node.table}.{job.ds}")
    lock.acquire()
    try:
        published = _clean(job)
        try:
            with connection.cursor() as cursor:
                cursor.execute("savepoint import")
            return _land_and_publish(connection, job, published)
        except psycopg2.Error as error:
            _roll_back(connection)
            raise DaysliceError(f"{job.slice}: PostgreSQL: {' '.join(str(error).split())}") from None
    finally:
        lock.release()


def _roll_back(connection: Any) -> None:
    """Go on with the same snapshot for the next table, if the connection still stands."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("rollback to savepoint import")
    except psycopg2.Error:
        pass


def _clean(job: Import) -> dict[str, Version]:
    """Remove what dead imports of this slice left; the published versions of the table."""
    with open_metastore(job.project.target) as metastore:
        published = metastore.published(job.node.table)
        kept = {version.id for version in metastore.versions(job.slice)}
    for folder in job.store.folders(job.folder):
        if folder not in kept and job.store.folders(f"{job.folder}/{folder}") == [f"ds={job.ds}"]:
            job.store.remove(f"{job.folder}/{folder}")
    return published


def _land_and_publish(connection: Any, job: Import, published: dict[str, Version]) -> tuple[Version, list[str]]:
    started = datetime.now(UTC).isoformat()
    table = discover(connection, *source_place(job.node))
    columns = landed_columns(job.node, table)
    schema = [[*column.schema(), column.carried.decoding.value] for column in columns]
    newest = published[max(published)] if published else None
    before = json.loads(newest.receipt.more["columns"]) if newest else []
    added = check_drift(job.slice, before, schema, job.accept)

    version_id = new_version_id()
    folder = f"{job.folder}/{version_id}"
    try:
        copied, files = _copy(connection, job, table, columns, f"{folder}/ds={job.ds}")
        receipt = Receipt(
            rows=copied,
            bytes=sum(file.bytes for file in files),
            files=len(files),
            started=started,
            finished=datetime.now(UTC).isoformat(),
            run=secrets.token_hex(4),
            tool=f"dayslice {__version__}",
            more={
                "columns": json.dumps(schema, ensure_ascii=False),
                "parts": json.dumps([file.path.rsplit("/", 1)[1] for file in files]),
                "checksums": json.dumps([f"sha256:{file.sha256}" for file in files]),
                "longest_line": str(max(file.longest for file in files)),
                **snapshot(connection),
            },
        )
        version = Version(job.slice, version_id, receipt, job.store.location(f"{folder}/ds={job.ds}"))
        _check_counts(job, copied, files, version)
        dropped = job.engine.publish(version)
    except BaseException:
        job.store.remove(folder)
        raise
    for each in dropped:
        job.store.remove(f"{job.folder}/{each.id}")
    return version, added


def _copy(
    connection: Any, job: Import, table: SourceTable, columns: list[LandedColumn], folder: str
) -> tuple[int, list[LandedFile]]:
    select = select_slice(job.node, table, columns, job.ds, job.project.time_zone)
    header = [column.name for column in columns]
    if len(columns) == 1:
        select = sql.SQL("select selected.*, true from ({}) as selected").format(select)
        header.append(PADDING)
    with connection.cursor() as cursor:
        statement = sql.SQL("copy ({}) to stdout").format(select).as_string(cursor)
        file = land(job.store, f"{folder}/part-00000.{SUFFIX}", header, lambda out: cursor.copy_expert(statement, out))
        return cursor.rowcount, [file]


def _check_counts(job: Import, copied: int, files: list[LandedFile], version: Version) -> None:
    landed, read = sum(file.rows for file in files), job.engine.count(version)
    if not copied == landed == read:
        raise Refused(
            f"{job.slice}: the counts do not agree, so nothing was published: COPY gave {copied} rows, the files have "
            f"{landed}, the engine reads {read}"
        )
    settings = job.node.settings
    if copied == 0 and settings.empty is Empty.REFUSE:
        raise Refused(
            f"{job.slice} is empty, and a {settings.kind.value} import refuses that; `empty: publish` allows it"
        )
