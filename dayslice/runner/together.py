"""A backfill that is staged as a whole, compared with what stands, and then published at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dayslice.errors import Refused, UsageError
from dayslice.metastore.announcements import announce
from dayslice.metastore.batch import Batch
from dayslice.metastore.choice import open_metastore, tell_readers
from dayslice.metastore.interface import Metastore
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.differences import Sum
from dayslice.rules.graph import TableNode, find
from dayslice.rules.plan import Plan
from dayslice.rules.receipts import inputs_of, is_same_content
from dayslice.rules.settings import WAIT_PREFIX
from dayslice.rules.slices import Change, Slice, Table, Version
from dayslice.runner.diffs import Asked, Found, compare
from dayslice.runner.jobs import run_jobs
from dayslice.runner.judging import standing_of
from dayslice.runner.project import Project
from dayslice.runner.runs import (
    PUBLISHED,
    STAGED,
    Listener,
    Outcome,
    is_made_once,
    latest_views,
    make_before,
    preparations,
    run_plan,
)
from dayslice.runner.version_rows import open_rows

_FIND_STAGED = {"slice", "ref", "source", "asof"}


@dataclass
class Compared:
    """What a table would have: the slices that stand, compared, and those that are new."""

    node: TableNode
    replaced: Sum
    new: list[Version]


def check_together(project: Project, plan: Plan) -> None:
    """Refuse what cannot be staged so that nobody sees it. Raises UsageError."""
    models = {node.unique_id for step in plan.steps for node in step.models}
    anew = [each for each in preparations(project.graph, models) if not is_made_once(project.graph, each)]
    if anew:
        raise UsageError(
            f"{find(project.graph, anew[0])['name']} is no table of slices and is written anew for each ds, for all to "
            "see, so what reads it cannot be staged: leave --together out"
        )
    for node, macros in reading_unstaged(project, plan):
        raise UsageError(f"{node} reads slices by {macros}, which finds no staged ones on Trino: leave --together out")
    imports = [node for step in plan.steps for node in step.imports]
    if imports and not project.target.is_local:
        raise UsageError(
            f"{imports[0]} is an import, whose typed view on Trino reads what is published: import first, then "
            "backfill its readers --together"
        )


def reading_unstaged(project: Project, plan: Plan) -> Iterator[tuple[TableNode, str]]:
    """The models of a plan that read slices by macros which find no staged ones, with their names: on Trino."""
    nodes = {node.unique_id: node for step in plan.steps for node in step.models}
    for node in [] if project.target.is_local else nodes.values():
        others = [v.get("as") for k, v in node.meta.items() if str(k).startswith(WAIT_PREFIX)]
        if macros := sorted({str(each) for each in others} - _FIND_STAGED):
            yield node, ", ".join(f"{each}()" for each in macros)


def prepare(project: Project, plan: Plan, heard: Listener) -> list[Outcome]:
    """Make the seeds and views that models read, for everybody, as they are no slices. Gives what of them failed."""
    models = {node.unique_id for step in plan.steps for node in step.models}
    failed: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        failed.append(outcome)
        heard(outcome)

    if before := preparations(project.graph, models):
        make_before(project, before, plan.steps[0].ds, tell)
    return failed


def stage(
    project: Project,
    plan: Plan,
    batch: Batch,
    jobs: int,
    heard: Listener,
    newest_first: bool = False,
    is_prepared: bool = True,
) -> list[Outcome]:
    """Make a plan's slices, each of the staged ones before it; none of them is published.

    `is_prepared`: what models read that is no table of slices is there; without it, it is made for this run alone.
    """
    slices = replace(plan, steps=tuple(replace(step, followers=()) for step in plan.steps))
    models = {node.unique_id for step in slices.steps for node in step.models}
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(replace(outcome, status=STAGED) if outcome.status == PUBLISHED else outcome)
        heard(outcomes[-1])

    prepared = preparations(project.graph, models) if is_prepared else []
    with batch.staging():
        if jobs == 1 and not newest_first:
            run_plan(project, slices, tell, prepared=prepared)
        else:
            run_jobs(project, slices, jobs, tell, newest_first, prepared=prepared)
    return outcomes


def compared(project: Project, batch: Batch, asked: Asked) -> list[Compared]:
    """What is staged beside what stands, table by table."""
    names = {node.table: node for node in project.tables.values()}
    found: dict[TableNode, Compared] = {}
    changes = batch.changes()
    before = _before(project, changes)
    with batch.staging(), open_rows([project.target]) as rows:
        for change in changes:
            assert change.version is not None
            node = names[change.slice.table]
            table = found.setdefault(node, Compared(node, Sum(), []))
            stood = before.get(change.slice)
            if stood is None:
                table.new.append(change.version)
            else:
                # A number that Hive or Glue give when it is published: the next one.
                numbered = replace(change.version, sequence=max(change.version.sequence, stood.sequence + 1))
                after = Found(project, node, numbered)
                table.replaced.of.append(compare(rows, Found(project, node, stood), after, asked))
    return list(found.values())


def publish(project: Project, batch: Batch) -> list[Change]:
    """Publish all that is staged, at once. Raises Refused, and publishes nothing, where it would not be right any more.

    Gives what was published.
    """
    changes = batch.changes_now()
    with open_metastore(project.target) as metastore:
        if moved := _moved(metastore, changes):
            reader, read = moved
            raise Refused(f"{read} was replaced after {reader} was made of it, so nothing was published: run it again")
        if others := batch.publish(metastore, changes):
            raise Refused(f"{others[0].slice} was published by somebody else meanwhile, so nothing was: run it again")
    for each in changes:
        if each.version is not None:
            announce(project.target.home, each.version, project.target.naming)
    tell_readers(project.target)
    return changes


def finish(project: Project, plan: Plan, changes: Sequence[Change], heard: Listener) -> list[Outcome]:
    """Once it is published: the latest views, and what follows the slices."""
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        heard(outcome)

    made = {node.unique_id for node in project.tables.values() if node.table in {e.slice.table for e in changes}}
    newest = max(each.slice.ds for each in changes)
    if views := latest_views(project.graph, made):
        make_before(project, views, newest, tell)
    if project.target.is_local:
        _show_imports(project, made)
    followers = tuple(replace(step, imports=(), models=()) for step in plan.steps if step.followers)
    if followers:
        run_plan(project, replace(plan, steps=followers), tell)
    return outcomes


def _show_imports(project: Project, made: set[str]) -> None:
    """The latest view of an import comes with its first slice."""
    with open_metastore(project.target) as metastore:
        assert isinstance(metastore, SQLiteMetastore)
        for node in project.imports:
            latest = Table(node.table.schema, f"{node.table.name}_latest")
            if node.unique_id in made and metastore.standing(latest) is None:
                metastore.publish_latest(latest, node.table)
    tell_readers(project.target)


def _before(project: Project, changes: Sequence[Change]) -> dict[Slice, Version]:
    """What was published as the run began."""
    with open_metastore(project.target) as metastore:
        stands = standing_of(metastore, [each.slice for each in changes if each.instead_of])
        found = {}
        for each in changes:
            now = stands.get(each.slice)
            if now is not None and now.id == each.instead_of:
                found[each.slice] = now
    return found


def _moved(metastore: Metastore, changes: Sequence[Change]) -> tuple[Slice, Slice] | None:
    """A staged slice and what it was made of that is another one by now."""
    own = {each.slice for each in changes}
    reads = {
        (each.slice, slice): read
        for each in changes
        if each.version
        for slice, read in (inputs_of(each.version.receipt) or {}).items()
        if slice not in own
    }
    stands = standing_of(metastore, {slice for _, slice in reads})
    for (reader, slice), read in reads.items():
        now = stands.get(slice)
        if now is None or not is_same_content(read, now):
            return reader, slice
    return None
