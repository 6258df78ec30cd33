"""Which rows of a table a slice takes, as the SELECT that COPY runs. Identifiers are quoted, values are literals."""

import re
from datetime import tzinfo
from typing import Any

from psycopg2 import sql

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, bounds, is_split, parse_ds, wall_bounds
from dayslice.rules.graph import TableNode
from dayslice.rules.settings import Kind
from dayslice_importers.declaration import LandedColumn
from dayslice_importers.discovery import SourceTable

# From a block to before another; the last range of a table has no end.
Blocks = tuple[int, int | None]
REPORT = "report"
REFUSE = "refuse"
# 32 MB: below that, a second stream costs more than it gains.
SMALL_BLOCKS = 4096


def select_slice(
    node: TableNode, table: SourceTable, columns: list[LandedColumn], ds: str, zone: tzinfo, blocks: Blocks = (0, None)
) -> sql.Composable:
    """The SELECT of one slice: all rows of a cumulative table, those of the period of events; of a range of blocks."""
    expressions = [_expression(column) for column in columns]
    if len(columns) == 1:  # see names.PADDING
        expressions.append(sql.SQL("true"))
    select = sql.SQL("select {columns} from {table}").format(
        columns=sql.SQL(", ").join(expressions),
        table=_name(table),
    )
    conditions: list[sql.Composable] = []
    if node.settings.kind is Kind.EVENTS:
        period = _period(node, table, ds, zone)
        if undated_of(node) == ds:
            period = sql.SQL("({period} or {undated})").format(period=period, undated=_undated(node))
        conditions.append(period)
    conditions += _in_blocks(blocks)
    return select + _where(node, conditions)


def undated_rows(node: TableNode, table: SourceTable) -> sql.Composable:
    """How many rows of an events table are of no day."""
    return sql.SQL("select count(*) from {table}").format(table=_name(table)) + _where(node, [_undated(node)])


def later_rows(node: TableNode, table: SourceTable, ds: str, zone: tzinfo) -> sql.Composable:
    """Whether an events table has rows after a slice's period."""
    column = next(each for each in table.columns if each.name == node.meta["on"])
    end = bounds(ds, zone)[1].isoformat() if column.type == "timestamptz" else wall_bounds(ds, zone)[1].isoformat()
    later = sql.SQL("{on} >= {end} and {on} < 'infinity'").format(on=sql.Identifier(column.name), end=sql.Literal(end))
    return sql.SQL("select exists (select from {table}{where})").format(table=_name(table), where=_where(node, [later]))


def undated_of(node: TableNode) -> str:
    """What becomes of rows of no day: `report`, `refuse`, or the ds of the slice that has them. Raises UsageError."""
    said = str(node.meta.get("undated", REPORT))
    if said in (REPORT, REFUSE):
        return said
    try:
        return parse_ds(said, node.settings.grain)
    except UsageError:
        raise UsageError(
            f"{node.path}: {node}: undated: {said!r} is neither {REPORT} nor {REFUSE} nor a ds of grain "
            f"{node.settings.grain.value}"
        ) from None


def _undated(node: TableNode) -> sql.Composable:
    # One at a time, as an index finds them.
    return sql.SQL("({on} is null or {on} = 'infinity' or {on} = '-infinity')").format(
        on=sql.Identifier(str(node.meta["on"]))
    )


def _where(node: TableNode, conditions: list[sql.Composable]) -> sql.Composable:
    """The conditions, after the table's own. That stands on lines of its own, whatever it ends with."""
    own = _row_filter(node)
    found = [*([sql.SQL("(\n{}\n)").format(sql.SQL(own))] if own else []), *conditions]
    return sql.SQL(" where ") + sql.SQL(" and ").join(found) if found else sql.SQL("")


def _row_filter(node: TableNode) -> str | None:
    if "row_filter" not in node.meta:
        return None
    from dayslice_importers.row_filter import row_filter_of  # noqa: PLC0415 - a quarter of a second for its parser

    return row_filter_of(node)


def _name(table: SourceTable) -> sql.Composable:
    return sql.Identifier(table.schema, table.name)


def block_ranges(table: SourceTable, kind: Kind, streams: int) -> list[Blocks]:
    """How a table is divided among streams: its blocks in equal parts, the last one open for what is new.

    Small tables are not divided, nor those without blocks (views, foreign tables), nor events: an index finds those.
    """
    parts = min(streams, table.size.blocks // SMALL_BLOCKS)
    if kind is Kind.EVENTS or parts < 2:
        return [(0, None)]
    step = -(-table.size.blocks // parts)
    return [(n * step, (n + 1) * step if n < parts - 1 else None) for n in range(parts)]


def _in_blocks(blocks: Blocks) -> list[sql.Composable]:
    begin, end = blocks
    found: list[sql.Composable] = []
    if begin > 0:
        found.append(sql.SQL("ctid >= {}::tid").format(sql.Literal(f"({begin},0)")))
    if end is not None:
        found.append(sql.SQL("ctid < {}::tid").format(sql.Literal(f"({end},0)")))
    return found


def _expression(column: LandedColumn) -> sql.Composable:
    if column.source is None:
        return sql.SQL("null")
    name = column.source.name
    # As text, not by format(): a type's expression may hold other braces and percent signs.
    pieces = re.split(r"(\{column\}|\{name\})", column.carried.source)
    holes = {"{column}": sql.Identifier(name), "{name}": sql.Literal(name)}
    return sql.SQL("").join(holes.get(piece) or sql.SQL(piece) for piece in pieces)


def _period(node: TableNode, table: SourceTable, ds: str, zone: tzinfo) -> sql.Composable:
    on = node.meta.get("on")
    if on is None:
        raise UsageError(f"{node.path}: {node}: events need `on`: the date or timestamp column that says their ds")
    column = next((c for c in table.columns if c.name == on), None)
    if column is None:
        raise UsageError(f"{node.path}: {node}: on: {table} has no column {on!r}")
    name: Any = sql.Identifier(on)
    begin, end = wall_bounds(ds, zone)
    if column.type == "date":
        if node.settings.grain is not Grain.DAY:
            raise UsageError(f"{node.path}: {node}: on: {on!r} is a date, too coarse for {node.settings.grain.value}")
        if (end - begin).days == 1:
            return sql.SQL("{} = {}").format(name, sql.Literal(ds))
        return _between(name, str(begin.date()), str(end.date()))
    if column.type == "timestamp":
        # A wall clock: taken to be the project's.
        return _between(name, begin.isoformat(), end.isoformat())
    if column.type != "timestamptz":
        raise UsageError(f"{node.path}: {node}: on: {on!r} is {column.declared}; it must be a date or a timestamp")
    first, last = bounds(ds, zone)
    period = _between(name, first.isoformat(), last.isoformat())
    if is_split(ds, zone):
        # Of an hour that the clock repeats: what it shows says which quarter, both times.
        shown = sql.SQL("({} at time zone {})").format(name, sql.Literal(str(zone)))
        period += sql.SQL(" and ") + _between(shown, begin.isoformat(), end.isoformat())
    return period


def _between(what: sql.Composable, begin: str, end: str) -> sql.Composable:
    return sql.SQL("{what} >= {begin} and {what} < {end}").format(
        what=what, begin=sql.Literal(begin), end=sql.Literal(end)
    )
