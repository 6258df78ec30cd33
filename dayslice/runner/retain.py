"""Deletes what retention lets go: first slices and versions in the metastore, then, past a grace time, their files.

Before a version is forgotten, a mark with the time is left beside it (`_retired/<time>.<version>`), so that a query
that still reads it can finish, and a run that is killed is gone on with by the next one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dayslice.errors import UsageError
from dayslice.metastore.announcements import announce_gone
from dayslice.metastore.choice import open_catalog, open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.metastore.stages import STAGING_SCHEMA, grace, is_abandoned
from dayslice.rules.calendar import cover, shift, span
from dayslice.rules.graph import TableNode
from dayslice.rules.retention import Policy, Reader, needed_by
from dayslice.rules.slices import Table, Version
from dayslice.rules.waits import reads
from dayslice.runner.project import Project
from dayslice.store.choice import open_store
from dayslice.store.interface import Store

RETIRED = "_retired"
_TIME = "%Y%m%d%H%M%S"


@dataclass
class Retained:
    """What became, or would become, of one table."""

    table: str
    slices: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)


def retain(project: Project, tables: list[TableNode], dry_run: bool = False) -> Iterator[Retained]:
    """Carry out each table's policy. With `dry_run` nothing is changed. Raises UsageError for a wrong policy."""
    grace()  # a wrong one is refused before anything goes
    policies = {node.unique_id: _policy(node) for node in tables}
    for node in tables:
        yield _retain_table(project, node, policies[node.unique_id], dry_run)
    if not project.target.is_local:
        yield _sweep_stages(project, dry_run)


def _policy(node: TableNode) -> Policy:
    try:
        return Policy.parse(node.settings.retention)
    except UsageError as error:
        raise UsageError(f"{node.path}: {node}: {error}") from None


def _retain_table(project: Project, node: TableNode, policy: Policy, dry_run: bool) -> Retained:
    done = Retained(node.name)
    with open_metastore(project.target) as metastore:
        history = metastore.history(node.table)
        published = metastore.published(node.table)
        needed = needed_by(_readers(project, node, metastore, list(published)), _reads_of(node))
    unguarded = policy.expired(published)
    done.slices = policy.expired(published, needed)
    done.needed = [ds for ds in unguarded if ds not in done.slices]
    surplus = [
        version
        for ds, versions in history.items()
        if ds not in done.slices
        for version in policy.surplus(versions, published.get(ds))
    ]
    done.versions = [version.id for version in surplus]
    known = {version.id for versions in history.values() for version in versions}
    if not dry_run:
        gone = [version for ds in done.slices for version in history[ds]]
        _forget(project, node, surplus, [published[ds] for ds in done.slices], [*surplus, *gone])
        for ds in done.slices:
            announce_gone(project.target.home, published[ds].slice)
        known -= {version.id for version in [*surplus, *gone]}
    if node.is_import or not project.target.is_local:
        store = open_store(project.target.warehouse)
        folder = f"{node.table.schema}/{node.table.name}"
        done.files = list(_sweep_files(store, folder, known, dry_run))
    return done


def _readers(project: Project, node: TableNode, metastore: Metastore, published: list[str]) -> list[Reader]:
    if not published:
        return []
    found = []
    for other in project.tables.values():
        for wait in other.waits:
            if wait.upstream == node.unique_id:
                theirs = set(metastore.published_ds(other.table))
                last = cover(max(published), other.settings.grain)[-1]
                first = min(min(theirs, default=last), last)
                found.append(Reader(wait, theirs, span(first, shift(last, 1))))
    return found


def _reads_of(node: TableNode) -> Callable[..., list[str]]:
    settings = node.settings
    return lambda wait, ds: reads(ds, settings.grain, settings.kind, wait.offset, wait.periods)


def _forget(
    project: Project, node: TableNode, surplus: list[Version], removed: list[Version], marked: list[Version]
) -> None:
    """Leave a mark for each version that has files; forget the surplus ones, and unpublish the slices `removed`."""
    if not marked:
        return
    local = project.target.database_file
    if node.is_import or local is None:
        store = open_store(project.target.warehouse)
        now = datetime.now(UTC).strftime(_TIME)
        for version in marked:
            path = f"{node.table.schema}/{node.table.name}/{RETIRED}/{now}.{version.id}/mark"
            mark = store.create(path)
            mark.write(str(version.slice).encode())
            mark.close()
    if local is not None and node.is_import:
        from dayslice_importers.engines.duckdb import DuckDBEngine  # noqa: PLC0415 - its views are made anew

        DuckDBEngine(local, project.target.warehouse).unpublish([*surplus, *removed])
        return
    if local is not None:
        _forget_rows(project, node, [*surplus, *removed])
        return
    with open_metastore(project.target) as metastore:
        for version in surplus:
            metastore.forget(version)
        for version in removed:
            metastore.unpublish(version)


def _forget_rows(project: Project, node: TableNode, versions: list[Version]) -> None:
    from dayslice.engines.duckdb_file import open_duckdb  # noqa: PLC0415
    from dayslice.metastore.duckdb import DuckDBMetastore  # noqa: PLC0415

    assert project.target.database_file is not None
    with open_duckdb(project.target.database_file) as connection:
        metastore = DuckDBMetastore(connection)
        connection.begin()
        published = metastore.published(node.table)
        for version in versions:
            if published.get(version.slice.ds) == version:
                table = '"{}"."{}"'.format(*(name.replace('"', '""') for name in (node.table.schema, node.table.name)))
                connection.execute(f"delete from {table} where ds = ?", [version.slice.ds])
                metastore.unpublish(version)
            metastore.forget(version)
        connection.commit()


def _sweep_files(store: Store, folder: str, known: set[str], dry_run: bool) -> Iterator[str]:
    """Remove the files of versions that nobody knows: retired, or begun by a run that died, past the grace time."""
    marks: dict[str, str] = {}
    for name in store.folders(f"{folder}/{RETIRED}"):
        time, _, version = name.partition(".")
        marks[version] = max(marks.get(version, ""), time)
    for version in store.folders(folder):
        if version in known or version == RETIRED:
            continue
        # By its mark if it has one, and else by when it was begun; what is named otherwise is not ours.
        past = _is_past(marks[version]) if version in marks else is_abandoned(version)
        if past:
            yield store.location(f"{folder}/{version}")
            if not dry_run:
                store.remove(f"{folder}/{version}")
    if not dry_run:
        left = set(store.folders(folder))
        for name in store.folders(f"{folder}/{RETIRED}"):
            version = name.partition(".")[2]
            if version in known or version not in left:
                store.remove(f"{folder}/{RETIRED}/{name}")


def _is_past(time: str) -> bool:
    if not re.fullmatch(r"\d{14}", time):
        return False
    return datetime.now(UTC) - datetime.strptime(time, _TIME).replace(tzinfo=UTC) >= grace()


def _sweep_stages(project: Project, dry_run: bool) -> Retained:
    """Stage tables of runs that died past the grace time. Their files are versions that nobody knows."""
    done = Retained(STAGING_SCHEMA)
    with open_catalog(project.target.credentials) as catalog:
        for name in catalog.tables(STAGING_SCHEMA):
            version = re.search(r"v\d{20}_[0-9a-f]{6}$", name)
            if version and is_abandoned(version[0]):
                done.versions.append(name)
                if not dry_run:
                    catalog.drop_table(Table(STAGING_SCHEMA, name))
    return done
