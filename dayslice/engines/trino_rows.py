"""Rows of Trino in a DuckDB of this process, so that they are Arrow there: types as near as DuckDB has them."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from dayslice.engines.answers import Answer
from dayslice.engines.landed_csv import literal, quoted
from dayslice.errors import UsageError
from dayslice.rules.trino_types import Type, parse

_NAMES = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "varbinary": "BLOB",
    "uuid": "UUID",
}
_TEXT = Type("varchar")
_AT_ONCE = 10_000


def load(connection: Any, table: str, answer: Answer) -> None:
    """Make a table of an answer's names, types and rows."""
    types = [_parsed(each) for each in answer.types]
    columns = [f"{quoted(name)} {duckdb_type(type)}" for name, type in zip(answer.names, types, strict=True)]
    connection.execute(f"create table {table} ({', '.join(columns)})")
    values = ", ".join(f"cast({_source(at, type)} as {duckdb_type(type)})" for at, type in enumerate(types, 1))
    for rows in _blocks(answer.rows()):
        texts = [[_text(value, type) for value, type in zip(row, types, strict=True)] for row in rows]
        # One text: a parameter each would take DuckDB a millisecond a row.
        told = literal(json.dumps(texts, ensure_ascii=False))
        source = f"select unnest(from_json({told}, '[[\"VARCHAR\"]]')) as r"
        connection.execute(f"insert into {table} select {values} from ({source})")


def duckdb_type(type: Type) -> str:
    """DuckDB's word for a type of Trino's; a text for one that it has not."""
    if type.name in _NAMES:
        return _NAMES[type.name]
    if type.name == "decimal":
        return f"DECIMAL({', '.join(map(str, type.numbers))})"
    if type.name == "array":
        return f"{duckdb_type(type.parts[0])}[]"
    if type.name == "map":
        return f"MAP({', '.join(map(duckdb_type, type.parts))})"
    if type.name == "row" and all(type.names):
        fields = [f"{quoted(name)} {duckdb_type(part)}" for name, part in zip(type.names, type.parts, strict=True)]
        return f"STRUCT({', '.join(fields)})"
    return "VARCHAR"


def _parsed(text: str) -> Type:
    try:
        return parse(text)
    except UsageError:
        return _TEXT


def _source(at: int, type: Type) -> str:
    return f"r[{at}]::json" if type.parts else f"r[{at}]"


def _blocks(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    while block := list(islice(rows, _AT_ONCE)):
        yield block


def _text(value: Any, type: Type) -> str | None:
    if value is None:
        return None
    made = _value(value, type)
    return json.dumps(made, ensure_ascii=False) if type.parts else str(made)


def _value(value: Any, type: Type) -> Any:
    """A value as JSON holds it, so that DuckDB reads the same one."""
    if value is not None and type.parts:
        return _nested(value, type)
    if isinstance(value, bytes | bytearray):
        return "".join(f"\\x{each:02X}" for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _nested(value: Any, type: Type) -> Any:
    if type.name == "row":
        return {name: _value(each, part) for name, each, part in zip(type.names, value, type.parts, strict=True)}
    if type.name == "map":
        return {str(_value(key, type.parts[0])): _value(each, type.parts[1]) for key, each in value.items()}
    return [_value(each, type.parts[0]) for each in value]
