"""Which DAG makes the models that follow tables of slices: that of the table that is made last of those they read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dayslice.rules.followers import Follower
from dayslice.rules.graph import Node, TableNode, ancestors, awaited, find, waits_of
from dayslice.rules.waits import Awaited
from dayslice.runner.project import Project
from dayslice.runner.runs import preparations, tests_of


@dataclass(frozen=True)
class Following:
    """What one table's DAG makes after it: the unique_ids of followers, of what those read besides, and of their tests.

    `waits`: what they read of other DAGs.
    """

    nodes: tuple[str, ...] = ()
    waits: tuple[Awaited, ...] = ()


def following(project: Project, tables: Mapping[str, TableNode]) -> dict[str, Following]:
    """By the unique_id of the table whose DAG makes them. `tables`: those that have a DAG, upstream first."""
    graph = project.graph
    found: dict[str, Following] = {}
    for group in _groups(graph, project.lineage.followers.values()):
        read = {table for each in group for table in each.reads} & tables.keys()
        if read:
            last = _made_last(graph, tables, read)
            before = found.get(last, Following())
            mine = [each.unique_id for each in group]
            nodes = [*preparations(graph, mine), *mine, *tests_of(graph, mine)]
            waits = [*before.waits, *_waits(project, tables[last], group)]
            found[last] = Following(tuple(dict.fromkeys([*before.nodes, *nodes])), tuple(dict.fromkeys(waits)))
    return found


def _groups(graph: Node, followers: Iterable[Follower]) -> list[list[Follower]]:
    """Followers that read one another, or a common view or table, are made by one DAG: no two make one relation."""
    groups: list[tuple[set[str], list[Follower]]] = []
    for follower in followers:
        reach = {follower.unique_id, *_relations_read(graph, follower)}
        members = [follower]
        for group in [each for each in groups if each[0] & reach]:
            groups.remove(group)
            reach |= group[0]
            members = [*group[1], *members]
        groups.append((reach, members))
    return [members for _, members in groups]


def _relations_read(graph: Node, follower: Follower) -> list[str]:
    return [each for each in preparations(graph, [follower.unique_id]) if find(graph, each)["resource_type"] != "seed"]


def _made_last(graph: Node, tables: Mapping[str, TableNode], read: Iterable[str]) -> str:
    """The table whose run of a ds comes last: of the coarsest grain, most of the others above it."""
    order = {unique_id: n for n, unique_id in enumerate(tables)}
    among = set(read)

    def rank(unique_id: str) -> tuple[object, int, int]:
        grain = tables[unique_id].settings.grain
        return grain.length, len(ancestors(graph, unique_id) & among), order[unique_id]

    return max(among, key=rank)


def _waits(project: Project, node: TableNode, group: Iterable[Follower]) -> list[Awaited]:
    """What a group reads beyond the table itself and its own waits. A table that has ended gets no more slices."""
    known = {node.unique_id, *(wait.upstream for wait in node.waits)}
    waits = [wait for each in group for wait in waits_of(project.graph, find(project.graph, each.unique_id))]
    return [
        awaited(project.graph, wait, node)
        for wait in dict.fromkeys(waits)
        if wait.upstream not in known and not project.tables[wait.upstream].settings.end
    ]
