"""Rollback of a run: all that one command published is taken back, and what stood before stands again."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from dayslice.errors import Refused, UsageError
from dayslice.metastore.announcements import announce, announce_gone
from dayslice.metastore.choice import open_metastore, tell_readers
from dayslice.metastore.integrity import problems
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import REPLACED, first_published, published_at
from dayslice.rules.slices import Change, Table, Version
from dayslice.runner.project import Project
from dayslice.runner.unpublish import show_latest


@dataclass
class Taken:
    """What is taken back of a run: `back`, slices that have what stood before again; `gone`, slices that were not there
    before; `left`, slices that were replaced since, so that they stay.
    """

    run: str
    back: list[Change] = field(default_factory=list)
    gone: list[Change] = field(default_factory=list)
    left: list[Version] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        """All of them."""
        return [*self.back, *self.gone]


def plan_rollback(project: Project, tables: Sequence[TableNode], run: str) -> Taken:
    """What taking a run back would do. Raises UsageError where no kept version is of that run, or of several."""
    found: dict[str, Taken] = {}
    with open_metastore(project.target) as metastore:
        for node in tables:
            published = metastore.published(node.table)
            for ds, versions in metastore.history(node.table).items():
                for version in versions:
                    if version.receipt.run.startswith(run):
                        taken = found.setdefault(version.receipt.run, Taken(version.receipt.run))
                        _sort(taken, version, versions, published.get(ds))
    if len(found) != 1:
        known = f"{len(found)} runs begin so: {', '.join(sorted(found))}" if found else "no kept version is of it"
        raise UsageError(f"--run {run}: {known}; dayslice versions TABLE --ds DS shows the runs of a slice's versions")
    return next(iter(found.values()))


def _sort(taken: Taken, version: Version, versions: Sequence[Version], published: Version | None) -> None:
    """`versions` of one slice, newest first."""
    if published is None or published.id != version.id:
        if published is None or published.receipt.run != taken.run:
            taken.left.append(version)
        return
    first = min((each for each in versions if each.receipt.run == taken.run), key=lambda each: each.age)
    earlier = [each for each in versions if each.age < first.age and each.receipt.run != taken.run]
    stood = [each for each in earlier if each.id == first.receipt.more.get(REPLACED)]
    is_first = REPLACED not in first.receipt.more and first_published(first.receipt) in (
        "",
        published_at(first.receipt),
    )
    if back := (stood or earlier):
        taken.back.append(Change(version.slice, back[0], version.id))
    elif not is_first:
        raise Refused(
            f"{version.slice} stood before {taken.run}, and what stood is not kept any more: nothing was taken back"
        )
    else:
        taken.gone.append(Change(version.slice, None, version.id))


def roll_back_run(project: Project, taken: Taken) -> None:
    """Publish what stood before, and take away what did not: in one step, as far as the metastore has one.

    Raises Refused, and changes nothing, where files are gone or somebody published meanwhile.
    """
    for problem in _damaged(taken, project.target.warehouse):
        raise Refused(f"{problem}; nothing was taken back")
    imports = {node.table for node in project.imports} if not project.target.is_local else set()
    with open_metastore(project.target) as metastore:
        if others := metastore.change([each for each in taken.changes if each.slice.table not in imports]):
            raise Refused(f"{others[0]} was published by somebody else meanwhile; nothing was taken back: try again")
        if not project.target.is_local:
            _change_imports(project, [each for each in taken.changes if each.slice.table in imports])
    for each in taken.changes:
        if each.version is None:
            announce_gone(project.target.home, each.slice)
        else:
            announce(project.target.home, each.version, project.target.naming, is_again=True)
    tell_readers(project.target)
    if not project.target.is_local:
        _latest_of(project, {each.slice.table for each in taken.gone})


def _latest_of(project: Project, tables: Set[Table]) -> None:
    """On Trino a latest view names its ds: that may be gone."""
    for node in project.tables.values():
        if node.table in tables:
            with open_metastore(project.target) as metastore:
                left = metastore.published_ds(node.table)
                newest = metastore.published(node.table, left[-1:]) if left else {}
            if left:
                show_latest(project, node, newest[left[-1]])


def _change_imports(project: Project, changes: Sequence[Change]) -> None:
    """On Trino the typed view of an import follows what it shows, one slice after another."""
    if not changes:
        return
    from dayslice_importers.engines.choice import open_engine  # noqa: PLC0415 - the importers' own format

    with open_metastore(project.target) as metastore:
        for each in changes:
            if each.version is not None:
                open_engine(project.target).publish(each.version)
            elif standing := metastore.published(each.slice.table, [each.slice.ds]).get(each.slice.ds):
                metastore.unpublish(standing)


def _damaged(taken: Taken, warehouse: str) -> Iterator[str]:
    for each in taken.back:
        for problem in problems(each.version, warehouse=warehouse) if each.version else ():
            yield f"{each.slice}: {each.version.id if each.version else ''} cannot be published: {problem}"
