"""Which DAG runs the tests that are no audits: that of the table that is built last of those they read."""

from collections.abc import Iterable, Mapping

from dayslice.rules.graph import Node, TableNode, ancestors, awaited, find, is_audit, is_slices
from dayslice.rules.waits import Awaited, Wait
from dayslice.runner.project import Project


def _tests_left(project: Project) -> list[str]:
    """Every test that is no audit of the staged slice, and none of what is made after the slices."""
    graph, followers = project.graph, project.lineage.followers.keys()
    return [
        unique_id
        for unique_id, node in graph["nodes"].items()
        if node["resource_type"] == "test"
        and not is_audit(graph, node)
        and not followers & set(node["depends_on"]["nodes"])
    ]


def tests_by_table(project: Project, tables: Mapping[str, TableNode]) -> dict[str, list[str]]:
    """Each test that is no audit, with the table whose DAG runs it: the one that is built last of those it reads."""
    graph = project.graph
    order = {unique_id: n for n, unique_id in enumerate(tables)}
    found: dict[str, list[str]] = {unique_id: [] for unique_id in tables}
    for test in _tests_left(project):
        read = _slices_read(graph, find(graph, test)["depends_on"]["nodes"]) & order.keys()
        if read:
            last = max(read, key=lambda each: (len(ancestors(graph, each) & read), order[each]))
            if not tables[last].is_import:
                found[last].append(test)
    return found


def _slices_read(graph: Node, nodes: Iterable[str]) -> set[str]:
    """The tables of slices among nodes, those behind a `_latest` view among them."""
    found: set[str] = set()
    for unique_id in nodes:
        node = find(graph, unique_id)
        if is_slices(node):
            found.add(unique_id)
        elif node["resource_type"] == "model":
            found |= _slices_read(graph, node["depends_on"]["nodes"])
    return found


def read_by_tests(graph: Node, node: TableNode, tests: Iterable[str], waits: Iterable[Awaited]) -> list[Awaited]:
    """What tests read beyond the table and its waits."""
    known = {each.wait.upstream for each in waits} | {node.unique_id}
    read = {u for test in tests for u in _slices_read(graph, find(graph, test)["depends_on"]["nodes"])}
    return [awaited(graph, Wait(each), node) for each in sorted(read - known)]
