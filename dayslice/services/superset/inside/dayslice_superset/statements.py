"""What may be asked of DuckDB: one SELECT that calls no function that reads files. Judged by DuckDB's own parser."""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

# Functions in FROM that read nothing of this machine. `duckdb_…` and `pragma_…` are how SQLAlchemy looks at a schema.
TABLE_FUNCTIONS = {"generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest"}
TABLE_FUNCTION_PREFIXES = ("duckdb_columns", "duckdb_constraints", "duckdb_schemas", "duckdb_tables", "duckdb_types")
VIEW_FUNCTIONS = ("duckdb_views", "pragma_table_info", "pragma_show")
_ONE = "only one SELECT at a time is allowed here"
# DuckDB makes a type of the values that it finds, by a statement of its own.
_PIVOT = re.compile(r"\bpivot(_wider)?\b", re.IGNORECASE)
_EXPLAIN = re.compile(r"^\s*explain(\s+analyze)?\s+", re.IGNORECASE)


class OnlySelect(duckdb.Error):
    """Somebody asked for more than a look."""


def refuse_all_but_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise OnlySelect for a statement that is no SELECT of tables."""
    try:
        found = connection.extract_statements(sql)
    except duckdb.PermissionException:  # IMPORT DATABASE: its statements are in a file
        raise OnlySelect(f"{_ONE}, and this reads a file: data is written by builds") from None
    kinds = [each.type for each in found]
    if kinds == [duckdb.StatementType.EXPLAIN] and (explained := _EXPLAIN.match(found[0].query)):
        return refuse_all_but_select(connection, found[0].query[explained.end() :])
    if kinds != [duckdb.StatementType.SELECT]:
        if kinds == [duckdb.StatementType.CREATE, duckdb.StatementType.SELECT] and _PIVOT.search(sql):
            raise OnlySelect("a PIVOT names its values here: from (pivot t on c in ('a', 'b') using sum(x) group by y)")
        said = " and ".join(kind.name.replace("_", " ") for kind in kinds) or "nothing"
        raise OnlySelect(f"{_ONE}, and this is {said}: data is written by builds")
    for name in sorted(table_functions(connection, sql)):
        if name not in TABLE_FUNCTIONS and not name.startswith((*TABLE_FUNCTION_PREFIXES, *VIEW_FUNCTIONS)):
            raise OnlySelect(f"{name}() is not allowed here: read the published tables, such as <table>_latest")
    return None


def table_functions(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """The functions that a SELECT calls in FROM. Raises OnlySelect where DuckDB cannot say."""
    calls = (each for each in nodes_of(connection, sql) if each.get("type") == "TABLE_FUNCTION")
    return {each["function"]["function_name"].lower() for each in calls}


def table_names(connection: duckdb.DuckDBPyConnection, sql: str) -> set[tuple[str, str, str]]:
    """The tables that a SELECT names, as catalog, schema and name; "" where it does not say."""
    named = (each for each in nodes_of(connection, sql) if each.get("type") == "BASE_TABLE")
    return {(each["catalog_name"], each["schema_name"], each["table_name"]) for each in named}


def nodes_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """A SELECT as DuckDB's parser has it, node by node. Raises OnlySelect where it cannot say."""
    cursor = connection.cursor()
    try:
        # No parameter: for those DuckDB imports pandas, wherever it is installed.
        text = "'" + sql.replace("'", "''") + "'"
        answer = cursor.execute(f"select json_serialize_sql({text})").fetchone()
    finally:
        cursor.close()
    tree = json.loads(answer[0]) if answer else {"error": True}
    if tree.get("error"):
        # SHOW, DESCRIBE and SUMMARIZE of a table are SELECTs that have no such form; they call nothing.
        if re.match(r"^\s*(show|describe|desc|summarize)\s+[\w.\"]+\s*;?\s*$", sql, re.IGNORECASE):
            return []
        raise OnlySelect(f"this statement is not allowed here: {tree.get('error_message', 'it is no plain SELECT')}")
    return list(_nodes(tree))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)
