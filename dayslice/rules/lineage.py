"""What stands upstream of which: tables of slices and what follows them. Answers dbt's plainest selections. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from dayslice.rules.followers import Follower, followers_of
from dayslice.rules.graph import Node, find, is_slices


@dataclass(frozen=True)
class Lineage:
    """The nearest tables and followers upstream of each, by unique_id, and what names one without doubt."""

    parents: Mapping[str, Sequence[str]]
    names: Mapping[str, Sequence[str]]
    """`orders`, `erp.orders`, `source:erp`: what dbt selects by each of these words."""
    followers: Mapping[str, Follower] = field(default_factory=dict)
    """Models that follow tables of slices, by unique_id, each after those it reads."""

    @classmethod
    def of(cls, graph: Node) -> "Lineage":
        """From dbt's graph."""
        nodes = {**graph["sources"], **graph["nodes"]}
        followers = followers_of(graph)
        made = [unique_id for unique_id, node in nodes.items() if is_slices(node)] + list(followers)
        return cls({each: _nearest(graph, each, set(made)) for each in made}, _names(nodes, made), followers)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Lineage":
        """The inverse of `as_json`."""
        followers = map(Follower.from_json, content["followers"])
        return cls(content["parents"], content["names"], {each.unique_id: each for each in followers})

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        followers = [each.as_json() for each in self.followers.values()]
        return {"parents": self.parents, "names": self.names, "followers": followers}

    def select(self, words: Iterable[str]) -> set[str] | None:
        """What words select, as dbt would: names, `+` before and after. None: dbt has to be asked."""
        found: set[str] = set()
        for word in words:
            chosen = self.names.get(word.strip("+"))
            if chosen is None or word.startswith("++") or word.endswith("++"):
                return None
            found |= set(chosen)
            found |= self._reached(chosen, self.parents) if word.startswith("+") else set()
            found |= self._reached(chosen, self._children()) if word.endswith("+") else set()
        return found

    def downstream(self, tables: Iterable[str]) -> set[str]:
        """Every table that is made from these, directly or not."""
        return self._reached(tables, self._children())

    def _children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unique_id, parents in self.parents.items():
            for each in parents:
                found.setdefault(each, []).append(unique_id)
        return found

    @staticmethod
    def _reached(begin: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
        found: set[str] = set()
        todo = list(begin)
        while todo:
            new = set(edges.get(todo.pop(), ())) - found
            found |= new
            todo += new
        return found


def _nearest(graph: Node, unique_id: str, made: Set[str]) -> list[str]:
    """Those of `made` that one is made from, with nothing but views and such between."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    todo = list((find(graph, unique_id).get("depends_on") or {}).get("nodes") or ())
    while todo:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        node = find(graph, each)
        if each in made:
            found[each] = None
        else:
            todo += (node.get("depends_on") or {}).get("nodes") or ()
    return sorted(found)


def _names(nodes: Mapping[str, Node], made: Sequence[str]) -> dict[str, list[str]]:
    own = set(made)
    taken = {word for unique_id, node in nodes.items() for word in _other_meanings(node, unique_id in own)}
    found: dict[str, list[str]] = {}
    for unique_id in made:
        node = nodes[unique_id]
        if node["resource_type"] == "source":
            # As people call it; dbt's own word has the method before it.
            source, name = node["source_name"], node["name"]
            for word in (f"source:{source}", f"source:{source}.{name}", f"{source}.{name}"):
                found.setdefault(word, []).append(unique_id)
        elif node["name"] not in taken and "." not in node["name"]:
            found.setdefault(node["name"], []).append(unique_id)
    return found


def _other_meanings(node: Node, is_named: bool) -> set[str]:
    """What dbt would also take for this node in a selection: its package, its top folder, a name that is not found."""
    fqn = [part for segment in node.get("fqn") or () for part in segment.split(".")]
    own = set() if is_named or not fqn else {fqn[-1]}
    return {*fqn[:1], *(fqn[1:2] if len(fqn) > 2 else ()), *own}
