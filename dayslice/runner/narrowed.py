"""SQL whose conditions name slices, made to read the files of those slices only: a long history costs it nothing.

DuckDB makes every name of a view's list of files before it looks at a condition, about 10 microseconds for each slice
that stands. What a condition on `ds` leaves is known here, by DuckDB's own parser and the metastore. The condition
stays where it is, so a table that is read for fewer slices answers the same.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import duckdb

from dayslice.engines.landed_csv import quoted
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.visible import Visible
from dayslice.rules.slices import Table
from dayslice.services.superset.inside.dayslice_superset.statements import OnlySelect, nodes_of

_NAME = rb'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'
_DOTTED = re.compile(_NAME + rb"(?:\s*\.\s*" + _NAME + rb")*")
# As they stand in `constant <operator> ds`, read from the other side.
_TURNED = {
    "COMPARE_EQUAL": "COMPARE_EQUAL",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
}
_FEW = 100
# Of two rows that meet, neither is another one for what is left out: unlike those that look for the nearest one.
_JOINS = {"REGULAR", "CROSS"}
_COMPARED: Mapping[str, Callable[[str, str], bool]] = {
    "COMPARE_LESSTHAN": operator.lt,
    "COMPARE_GREATERTHAN": operator.gt,
    "COMPARE_LESSTHANOREQUALTO": operator.le,
    "COMPARE_GREATERTHANOREQUALTO": operator.ge,
}
Node = Mapping[str, Any]


class Holds(NamedTuple):
    """What a condition leaves: those ds values that `may` says, of these `only` where it names them."""

    may: Callable[[str], bool]
    only: frozenset[str] | None = None


def narrowed(connection: duckdb.DuckDBPyConnection, metastore: SQLiteMetastore, sql: str, schema: str) -> str:
    """The same SELECT, reading what its conditions on `ds` leave; itself where it has none. `schema`: of bare names."""
    try:
        nodes = nodes_of(connection, sql)
    except OnlySelect:
        return sql
    # A name that the statement itself gives to a SELECT is no table's.
    own = {each["key"].lower() for node in nodes for each in (node.get("cte_map") or {}).get("map", [])}
    visible = Visible(connection, metastore)
    text = sql.encode()
    found = {node["query_location"]: (node, reaches) for node, reaches in restricted_tables(nodes)}
    for at, (node, reaches) in sorted(found.items(), reverse=True):
        if not node["schema_name"] and node["table_name"].lower() in own:
            continue
        name = _DOTTED.match(text, at)
        select = _select(visible, Table(node["schema_name"] or schema, node["table_name"]), reaches)
        if name is not None and select is not None:
            alias = "" if node["alias"] else f" as {quoted(node['table_name'])}"
            text = text[:at] + f"({select}){alias}".encode() + text[name.end() :]
    return text.decode()


def _select(visible: Visible, table: Table, reaches: list[Holds]) -> str | None:
    standing = visible.metastore.standing(table)
    if standing is None or standing.kind != "slices":
        return None
    named = [each.only for each in reaches if each.only is not None]
    if named and len(only := frozenset.intersection(*named)) <= _FEW:
        return visible.select_slices(table, [ds for ds in only if all(each.may(ds) for each in reaches)])
    stands = visible.metastore.published_ds(table)
    wanted = [ds for ds in stands if all(each.may(ds) for each in reaches)]
    # A receipt costs more to read than a name in a view's list.
    return visible.select_slices(table, wanted) if len(wanted) * 4 <= len(stands) or len(wanted) == 1 else None


def restricted_tables(nodes: list[dict[str, Any]]) -> Iterator[tuple[Node, list[Holds]]]:
    """The tables that a condition restricts to some slices, as the parser has them."""
    for node in nodes:
        if node.get("type") != "SELECT_NODE" or not node.get("where_clause") or node["sample"]:
            continue
        tables = list(_tables(node["from_table"]))
        conditions = list(_all_of(node["where_clause"]))
        for table in tables:
            called = table["alias"] or table["table_name"]
            reaches = [
                reach
                for each in conditions
                if (reach := _reach(each, called, alone=len(tables) == 1 and node["from_table"] is table)) is not None
            ]
            if reaches and not (table["sample"] or table["column_name_alias"] or table["catalog_name"]):
                yield table, reaches


def _tables(tree: Node) -> Iterator[Node]:
    if tree["type"] == "BASE_TABLE":
        yield tree
    elif tree["type"] == "JOIN" and tree["ref_type"] in _JOINS:
        yield from _tables(tree["left"])
        yield from _tables(tree["right"])


def _all_of(condition: Node) -> Iterator[Node]:
    if condition["type"] == "CONJUNCTION_AND":
        for each in condition["children"]:
            yield from _all_of(each)
    else:
        yield condition


def _reach(condition: Node, called: str, alone: bool) -> Holds | None:
    kind = condition["type"]
    if kind == "COMPARE_BETWEEN" and _is_ds(condition["input"], called, alone):
        first, last = _text(condition["lower"]), _text(condition["upper"])
        return Holds(lambda ds: first <= ds <= last) if first is not None and last is not None else None
    if kind == "COMPARE_IN" and _is_ds(condition["children"][0], called, alone):
        values = [_text(each) for each in condition["children"][1:]]
        return None if None in values else _one_of(values)
    if kind not in _TURNED:
        return None
    left, right = condition["left"], condition["right"]
    if _is_ds(right, called, alone):
        left, right, kind = right, left, _TURNED[kind]
    value = _text(right)
    if value is None or not _is_ds(left, called, alone):
        return None
    if kind == "COMPARE_EQUAL":
        return _one_of([value])
    compare = _COMPARED[kind]
    return Holds(lambda ds: compare(ds, value))


def _one_of(values: Iterable[str | None]) -> Holds:
    only = frozenset(value for value in values if value)
    return Holds(only.__contains__, only)


def _is_ds(expression: Node, called: str, alone: bool) -> bool:
    if expression["type"] != "COLUMN_REF":
        return False
    names = [each.lower() for each in expression["column_names"]]
    return names == [called.lower(), "ds"] or (alone and names == ["ds"])


def _text(expression: Node) -> str | None:
    """A constant text. Of anything else it is not known here what it compares as."""
    value = expression.get("value") if expression["type"] == "VALUE_CONSTANT" else None
    if not value or value["is_null"] or value["type"]["id"] != "VARCHAR":
        return None
    return str(value["value"])
