"""Which columns of a table name a person, as its YAML says: `meta: {person: {email: email}}`. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from dayslice.rules.graph import Node, TableNode, find
from dayslice.rules.review import ERROR, Finding, Tree
from dayslice.rules.selected_columns import selected_columns

KEY = "person"
NONE = "none"


def persons_of(meta: Mapping[str, Any]) -> dict[str, str] | None:
    """The columns that name a person, in lower case, with what kind of name each is; None where nothing is said."""
    said = meta.get(KEY)
    if said is None:
        return None
    return {} if said == NONE else {str(column).lower(): str(kind) for column, kind in said.items()}


def persons_read(graph: Node, tables: Mapping[str, TableNode], unique_id: str) -> dict[str, dict[str, str]]:
    """The tables that a table reads, directly or through views and latest views, that name persons: their columns.

    A table's own earlier slices are none of them.
    """
    found: dict[str, dict[str, str]] = {}
    todo = list((find(graph, unique_id).get("depends_on") or {}).get("nodes") or ())
    seen = {unique_id}
    while todo:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        if each in tables:
            if persons := persons_of(tables[each].meta):
                found[each] = persons
        elif each in graph["nodes"]:
            todo += (graph["nodes"][each].get("depends_on") or {}).get("nodes") or []
    return found


def undeclared(graph: Node, tree: Tree, unique_id: str) -> Iterator[Finding]:
    """What is wrong with what a model says of persons, beside what it reads.

    Whether a column goes through cannot be read from a SELECT that has macros in it. So a table that reads one that
    names persons says itself which of its columns do, or that none does.
    """
    node = tree.tables[unique_id]
    if node.is_import:
        return
    given = selected_columns(tree.code.get(unique_id, ""), tree.dialect)
    said = persons_of(node.meta)

    def finding(what: str, mend: str) -> Finding:
        return Finding(ERROR, node.name, node.yaml, tree.line_of_key(node.yaml, node.name, KEY), what, mend)

    for column in (said or {}) if given is not None else ():
        if column not in (given or ()):
            what = f"person: it has no column {column}, so nobody could be found by it"
            yield finding(what, f"name one of {', '.join(given or ())}")
    for upstream, persons in persons_read(graph, tree.tables, unique_id).items():
        name = tree.tables[upstream].name
        columns = ", ".join(f"{column}: {kind}" for column, kind in persons.items())
        if said is None:
            yield finding(
                f"reads {name}, which names persons ({columns}), and does not say which of its columns do",
                f"meta: {{person: {{{columns}}}}} for those that it has, or person: none",
            )
            continue
        for column in persons:
            if given and column in given and column not in said:
                yield finding(
                    f"selects {column}, which names a person in {name}, and does not say so",
                    f"add it: meta: {{person: {{{column}: {persons[column]}}}}}",
                )
