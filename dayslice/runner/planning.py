"""What a run would make, from the project and what the metastore says stands; and what it left stale."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import is_over
from dayslice.rules.followers import Follower, made_with
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import Plan, make_plan
from dayslice.rules.receipts import inputs_of, is_same_content
from dayslice.rules.slices import Slice, Table
from dayslice.rules.snapshots import snapshot_slices
from dayslice.rules.stale import Key, made_stale, readers_of
from dayslice.runner.judging import blocked, stale_slices, standing_of
from dayslice.runner.project import Project
from dayslice.runner.runs import PUBLISHED, Outcome


def plan_range(
    project: Project,
    tables: Sequence[TableNode],
    first: str,
    last: str,
    *,
    force: bool = False,
    downstream: bool = False,
    open_period: bool = False,
    stale: bool = False,
    judged: bool = False,
) -> Plan:
    """The plan of a backfill. `stale`: what stands and is not what would be made now is made again; `judged`: it is
    looked for at least, and so is what cannot be made as something else is not there.
    """
    with open_metastore(project.target) as metastore:
        published = standing(project, tables, metastore)
        found = stale_slices(project, metastore, tables, first, last) if stale or judged else {}
    zone = project.time_zone
    plan = make_plan(
        tables,
        first,
        last,
        published,
        force,
        snapshot_slices(zone),
        zone,
        project.tables,
        downstream,
        is_due=lambda ds: open_period or is_over(ds, zone),
        stale=found,
        remake_stale=stale,
    )
    ordered = [(unique_id, step.ds) for step in plan.steps for unique_id in step.tables]
    with open_metastore(project.target) as metastore:
        return replace(plan, blocked=blocked(project, metastore, ordered))


def standing(project: Project, tables: Iterable[TableNode], metastore: Metastore) -> dict[Table, set[str]]:
    """What is published of tables, and of all that is made from them."""
    own = [node.unique_id for node in tables]
    wanted = {*own, *readers_of(project.tables, own)}
    nodes = [node for node in project.tables.values() if node.unique_id in wanted]
    found = metastore.published_ds_of([node.table for node in nodes])
    return {table: set(slices) for table, slices in found.items()}


def left_behind(project: Project, plan: Plan, outcomes: Iterable[Outcome]) -> list[Follower]:
    """The followers that hold rows, read what this run published, and were not made by it; or whose making failed."""
    ids = {node.name: unique_id for unique_id, node in project.tables.items()}
    followers = project.lineage.followers.values()
    told = list(outcomes)
    published = [ids[each.table] for each in told if each.status == PUBLISHED and each.table in ids]
    failed = {each.table for each in told if each.failed}
    left = [each for each in made_with(followers, published) if each not in plan.followers]
    failed_ones = [each for each in plan.followers if each.name in failed]
    return [each for each in followers if each.holds_rows and (each in left or each in failed_ones)]


def left_stale(project: Project, outcomes: Iterable[Outcome]) -> Mapping[Key, Key]:
    """The published slices that stand on others than this run published, and that it did not make again.

    What was published with the content that its readers have seen makes none of them stale.
    """
    ids = {node.name: unique_id for unique_id, node in project.tables.items()}
    changed = [(ids[each.table], each.ds) for each in outcomes if each.status == PUBLISHED and each.table in ids]
    return stale_by(project, changed)


def stale_by(project: Project, changed: Collection[Key]) -> Mapping[Key, Key]:
    """The published slices that stand on others than these are now. Those that hold the same content are none."""
    if not changed:
        return {}
    nodes = [project.tables[unique_id] for unique_id, _ in changed]
    with open_metastore(project.target) as metastore:
        published = standing(project, dict.fromkeys(nodes), metastore)
        found = made_stale(project.tables, changed, published, project.time_zone)
        return made_stale(
            project.tables, changed, published, project.time_zone, _holding(project, metastore, changed, found)
        )


def _holding(
    project: Project, metastore: Metastore, changed: Iterable[Key], found: Iterable[Key]
) -> Callable[[Key, Key], bool]:
    """Whether one slice holds what another one has now, by the receipts."""

    def place(key: Key) -> Slice:
        return Slice(project.tables[key[0]].table, key[1])

    stands = standing_of(metastore, map(place, {*changed, *found}))

    def holds(reader: Key, read: Key) -> bool:
        version, now = stands.get(place(reader)), stands.get(place(read))
        inputs = inputs_of(version.receipt) if version else None
        return bool(inputs and now and place(read) in inputs and is_same_content(inputs[place(read)], now))

    return holds
