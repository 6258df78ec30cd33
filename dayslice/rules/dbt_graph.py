"""dbt's graph, each node of which is made a mapping once, and in one order. Pure.

dbt makes it anew at each look: in a project of a thousand tables a loop over all nodes takes a tenth of a second. And
it keeps what a model reads in the order of a set, another one in each process, and its nodes in the order in which they
were parsed: what we make of a project would be another one each time.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_KEPT = 4
_known: list[tuple[Any, Mapping[str, Any]]] = []


class Remembered(Mapping[str, Any]):
    """The nodes of one kind, by their unique_ids, and so what each reads.

    One that dbt replaced is looked at anew; what dbt notes in one as it runs is not seen.
    """

    def __init__(self, nodes: Any):
        self._nodes = nodes
        self._known: dict[str, tuple[Any, Any]] = {}
        self._keys: tuple[list[str], list[str]] = ([], [])

    def __getitem__(self, key: str) -> Any:
        node = self._nodes.inner_dict[key]
        known = self._known.get(key)
        if known is None or known[0] is not node:
            known = self._known[key] = (node, _in_order(self._nodes[key]))
        return known[1]

    def __contains__(self, key: object) -> bool:
        return key in self._nodes.inner_dict

    def __iter__(self) -> Iterator[str]:
        found = list(self._nodes.inner_dict)
        if found != self._keys[0]:  # a look is a hundred times quicker than to sort
            self._keys = found, sorted(found)
        return iter(self._keys[1])

    def __len__(self) -> int:
        return len(self._nodes)


def _in_order(node: Any) -> Any:
    depends = node.get("depends_on") or {}
    return {**node, "depends_on": {**depends, "nodes": sorted(depends["nodes"])}} if depends.get("nodes") else node


def remembered(graph: Mapping[str, Any]) -> Mapping[str, Any]:
    """The graph, of which each node is made a mapping once. The same object for the same graph of dbt's."""
    nodes = graph["nodes"]
    if not hasattr(nodes, "inner_dict"):  # a manifest that was read from a file
        return graph
    for of, found in list(_known):
        if of is nodes:
            return found
    made = {kind: Remembered(each) if hasattr(each, "inner_dict") else each for kind, each in graph.items()}
    _known[:] = [*_known[1 - _KEPT :], (nodes, made)]
    return made
