"""Deletes what retention lets go: first slices and versions in the metastore, then, past a grace time, their files.

Before a version is forgotten, a mark with the time is left beside it (`_retired/<time>.<version>`), so that a query
that still reads it can finish, and a run that is killed is gone on with by the next one.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from dayslice.errors import Refused, UsageError
from dayslice.metastore.announcements import announce_gone
from dayslice.metastore.batch import discard_left
from dayslice.metastore.choice import open_catalog, open_metastore, tell_readers
from dayslice.metastore.interface import Metastore
from dayslice.metastore.journal import journals_of
from dayslice.metastore.stages import STAGING_SCHEMA, grace, is_abandoned, stages_of, table_key
from dayslice.rules.calendar import cover, shift, span
from dayslice.rules.graph import TableNode
from dayslice.rules.retention import Policy, Reader, needed_by
from dayslice.rules.slices import Version
from dayslice.rules.waits import Wait, read_of_published
from dayslice.runner.project import Project
from dayslice.runner.sweep import RETIRED, mark, sweep_files
from dayslice.store.choice import open_store


@dataclass
class Retained:
    """What became, or would become, of one table."""

    table: str
    slices: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    refused: str = ""
    unnamed: list[str] = field(default_factory=list)
    """Tables whose slices are published, and which no file of the project names any more."""


def retain(
    project: Project, tables: list[TableNode], dry_run: bool = False, allow_loss: bool = False
) -> Iterator[Retained]:
    """Carry out each table's policy. With `dry_run` nothing is changed. Raises UsageError for a wrong policy.

    `allow_loss`: delete also so many unknown versions that the metastore may be the wrong one.
    """
    grace()  # a wrong one is refused before anything goes
    policies = {node.unique_id: _policy(node) for node in tables}
    if not dry_run:
        discard_left(project.target)
    readers: dict[str, list[tuple[TableNode, Wait]]] = {}
    for other in project.tables.values():
        for wait in other.waits:
            readers.setdefault(wait.upstream, []).append((other, wait))
    with open_metastore(project.target) as metastore:  # one for all: on Hive it knows then what it has been told
        for node in tables:
            own = readers.get(node.unique_id, [])
            yield _retain_table(project, metastore, node, policies[node.unique_id], own, dry_run, allow_loss)
    if not project.target.is_local:
        yield _sweep_stages(project, tables, dry_run)


def _policy(node: TableNode) -> Policy:
    try:
        return Policy.parse(node.settings.retention)
    except UsageError as error:
        raise UsageError(f"{node.path}: {node}: {error}") from None


def _retain_table(
    project: Project,
    metastore: Metastore,
    node: TableNode,
    policy: Policy,
    readers: Sequence[tuple[TableNode, Wait]],
    dry_run: bool,
    allow_loss: bool,
) -> Retained:
    done = Retained(node.name)
    history = metastore.history(node.table)
    published = metastore.published(node.table)
    needed = needed_by(_readers(readers, metastore, published), _reads_of(node, sorted(published)))
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
    store = open_store(project.target.warehouse)
    folder = f"{node.table.schema}/{node.table.name}"
    try:
        done.files = list(sweep_files(store, folder, known, dry_run, allow_loss))
    except Refused as error:
        done.refused = str(error)
    return done


def _readers(
    readers: Sequence[tuple[TableNode, Wait]], metastore: Metastore, published: Collection[str]
) -> list[Reader]:
    found = []
    for other, wait in readers if published else ():
        theirs = set(metastore.published_ds(other.table))
        last = cover(max(published), other.settings.grain)[-1]
        first = min(min(theirs, default=last), last)
        found.append(Reader(wait, theirs, span(first, shift(last, 1))))
    return found


def _reads_of(node: TableNode, published: list[str]) -> Callable[..., list[str]]:
    settings = node.settings
    return lambda wait, ds: read_of_published(wait, ds, settings.grain, settings.kind, published)


def remove_slice(project: Project, node: TableNode, published: Version, kept: list[Version]) -> None:
    """Take a slice away with all that is kept of it, unless another version is published by now. Files go later."""
    _forget(project, node, [], [published], kept)


def _forget(
    project: Project, node: TableNode, surplus: list[Version], removed: list[Version], marked: list[Version]
) -> None:
    """Leave a mark for each version that has files; forget the surplus ones, and unpublish the slices `removed`."""
    if not marked:
        return
    store = open_store(project.target.warehouse)
    for version in marked:
        mark(store, f"{node.table.schema}/{node.table.name}", RETIRED, version.id, str(version.slice))
    with open_metastore(project.target) as metastore:
        for version in surplus:
            metastore.forget(version)
        for version in removed:
            metastore.unpublish(version)
    tell_readers(project.target)


def _sweep_stages(project: Project, tables: list[TableNode], dry_run: bool) -> Retained:
    """Stage tables that dead runs of these tables left past the grace time. Their files are versions nobody knows."""
    done = Retained(STAGING_SCHEMA)
    with open_catalog(project.target.credentials) as catalog:
        for node in tables:
            for stage, version in stages_of(catalog, node.table):
                if is_abandoned(version):
                    done.versions.append(stage.name)
                    if not dry_run:
                        catalog.drop_table(stage)
        schemas = {node.table.schema for node in project.tables.values()}
        named = {table_key(node.table) for node in project.tables.values()}
        for schema in sorted(schemas):
            done.unnamed += [f"{schema}.{name}" for key, name in journals_of(catalog, schema) if key not in named]
    return done
