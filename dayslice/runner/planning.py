"""What a run would make, from the project and what the metastore says stands; and what it left stale."""

from collections.abc import Iterable, Mapping, Sequence

from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import is_over
from dayslice.rules.followers import Follower, made_with
from dayslice.rules.graph import TableNode
from dayslice.rules.plan import Plan, make_plan
from dayslice.rules.slices import Table
from dayslice.rules.snapshots import snapshot_slices
from dayslice.rules.stale import Key, made_stale, readers_of
from dayslice.runner.project import Project
from dayslice.runner.runs import Outcome


def plan_range(
    project: Project,
    tables: Sequence[TableNode],
    first: str,
    last: str,
    *,
    force: bool = False,
    downstream: bool = False,
    open_period: bool = False,
) -> Plan:
    """The plan of a backfill."""
    with open_metastore(project.target) as metastore:
        published = standing(project, tables, metastore)
    zone = project.time_zone
    return make_plan(
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
    )


def standing(project: Project, tables: Iterable[TableNode], metastore: Metastore) -> dict[Table, set[str]]:
    """What is published of tables, and of all that is made from them."""
    own = [node.unique_id for node in tables]
    wanted = {*own, *readers_of(project.tables, own)}
    nodes = [node for node in project.tables.values() if node.unique_id in wanted]
    return {node.table: set(metastore.published_ds(node.table)) for node in nodes}


def left_behind(project: Project, plan: Plan, outcomes: Iterable[Outcome]) -> list[Follower]:
    """The followers that hold rows, read what this run published, and were not made by it; or whose making failed."""
    ids = {node.name: unique_id for unique_id, node in project.tables.items()}
    followers = project.lineage.followers.values()
    told = list(outcomes)
    published = [ids[each.table] for each in told if not each.failed and each.table in ids]
    failed = {each.table for each in told if each.failed}
    left = [each for each in made_with(followers, published) if each not in plan.followers]
    failed_ones = [each for each in plan.followers if each.name in failed]
    return [each for each in followers if each.holds_rows and (each in left or each in failed_ones)]


def left_stale(project: Project, outcomes: Iterable[Outcome]) -> Mapping[Key, Key]:
    """The published slices that stand on older ones than this run published, and that it did not make again."""
    ids = {node.name: unique_id for unique_id, node in project.tables.items()}
    changed = [(ids[each.table], each.ds) for each in outcomes if not each.failed and each.table in ids]
    nodes = [project.tables[unique_id] for unique_id, _ in changed]
    with open_metastore(project.target) as metastore:
        published = standing(project, dict.fromkeys(nodes), metastore)
    return made_stale(project.tables, changed, published, project.time_zone)
