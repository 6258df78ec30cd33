"""Which rows of a table a slice takes, as the SELECT that COPY runs. Identifiers are quoted, values are literals."""

from datetime import tzinfo
from typing import Any

from psycopg2 import sql

from dayslice.calendar import Grain, bounds
from dayslice.errors import UsageError
from dayslice.graph import TableNode
from dayslice.settings import Kind
from importers.declaration import LandedColumn
from importers.discovery import SourceTable


def select_slice(
    node: TableNode, table: SourceTable, columns: list[LandedColumn], ds: str, zone: tzinfo
) -> sql.Composable:
    """The SELECT of one slice: all rows of a cumulative table, those of the period of events."""
    select = sql.SQL("select {columns} from {table}").format(
        columns=sql.SQL(", ").join(_expression(column) for column in columns),
        table=sql.Identifier(table.schema, table.name),
    )
    conditions: list[sql.Composable] = []
    if node.meta.get("row_filter"):
        conditions.append(sql.SQL("({})").format(sql.SQL(node.meta["row_filter"])))
    if node.settings.kind is Kind.EVENTS:
        conditions.append(_period(node, table, ds, zone))
    if conditions:
        select += sql.SQL(" where ") + sql.SQL(" and ").join(conditions)
    return select


def _expression(column: LandedColumn) -> sql.Composable:
    before, _, after = column.carried.source.partition("{column}")
    return sql.SQL(before) + sql.Identifier(column.source.name) + sql.SQL(after)


def _period(node: TableNode, table: SourceTable, ds: str, zone: tzinfo) -> sql.Composable:
    on = node.meta.get("on")
    if on is None:
        raise UsageError(f"{node.path}: {node}: events need `on`: the date or timestamp column that says their ds")
    column = next((c for c in table.columns if c.name == on), None)
    if column is None:
        raise UsageError(f"{node.path}: {node}: on: {table} has no column {on!r}")
    name: Any = sql.Identifier(on)
    begin, end = bounds(ds, zone)
    if column.type == "date":
        if node.settings.grain is not Grain.DAY:
            raise UsageError(f"{node.path}: {node}: on: {on!r} is a date, too coarse for {node.settings.grain.value}")
        return sql.SQL("{} = {}").format(name, sql.Literal(ds))
    if column.type == "timestamp":
        # A wall clock: taken to be the project's.
        begin, end = begin.astimezone(zone).replace(tzinfo=None), end.astimezone(zone).replace(tzinfo=None)
    elif column.type != "timestamptz":
        raise UsageError(f"{node.path}: {node}: on: {on!r} is {column.declared}; it must be a date or a timestamp")
    half_open = sql.SQL("{name} >= {begin} and {name} < {end}")
    return half_open.format(name=name, begin=sql.Literal(begin.isoformat()), end=sql.Literal(end.isoformat()))
