"""Which columns are a table's key, by what holds it already: nothing is written down for this alone. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

Node = Mapping[str, Any]


def tests_by_table(graph: Node) -> dict[str, list[Node]]:
    """The generic tests of each model and source."""
    found: dict[str, list[Node]] = {}
    for node in graph["nodes"].values():
        if node["resource_type"] == "test" and node.get("test_metadata"):
            tested = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
            found.setdefault(tested, []).append(node)
    return found


def key_of(node: Node, tests: Iterable[Node]) -> tuple[str, ...]:
    """The columns of a table's key, by what holds it: a `unique_key`, a constraint, a test of severity error."""
    if given := (node.get("config") or {}).get("unique_key"):
        return _lower([given] if isinstance(given, str) else given)
    for constraint in node.get("constraints") or ():
        if constraint.get("type") in ("primary_key", "unique") and constraint.get("columns"):
            return _lower(constraint["columns"])
    for name, column in (node.get("columns") or {}).items():
        if any(each.get("type") in ("primary_key", "unique") for each in column.get("constraints") or ()):
            return _lower([name])
    columns = list(node.get("columns") or {})
    for test in sorted(tests, key=lambda each: _place(each, columns)):
        metadata, config = test["test_metadata"], test["config"]
        if str(config.get("severity", "error")).lower() != "error" or config.get("where"):
            continue
        if metadata["name"] == "unique" and metadata["kwargs"].get("column_name"):
            return _lower([metadata["kwargs"]["column_name"]])
        if metadata["name"] == "unique_combination_of_columns":
            return _lower(metadata["kwargs"]["combination_of_columns"])
    return ()


def _place(test: Node, columns: list[str]) -> tuple[int, str]:
    """Of several keys the first one counts, as the columns stand in the YAML; those of several columns come last."""
    column = test["test_metadata"]["kwargs"].get("column_name")
    return columns.index(column) if column in columns else len(columns), test["unique_id"]


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(each).strip('"').lower() for each in names)
