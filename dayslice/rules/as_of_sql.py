"""A statement of Trino's in which tables are read as others say, and how far into them it reaches. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.slices import Table

Bounds = tuple[str | None, bool, str | None, bool]
"""A range of ds: from, whether that is in it, to, whether that is."""
_BODY = re.compile(r"\bsecurity (?:definer|invoker) as\s", re.IGNORECASE)


@dataclass
class Reach:
    """The ds of each table that a statement may read, as the server itself has found by its conditions."""

    tables: dict[Table, list[list[Bounds]]] = field(default_factory=dict)

    @classmethod
    def of(cls, explained: str) -> "Reach":
        """From what EXPLAIN (TYPE IO, FORMAT JSON) says."""
        found = cls()
        for each in json.loads(explained).get("inputTableColumnInfos", []):
            name = each["table"]["schemaTable"]
            constraint = each.get("constraint") or each
            ranges = [_ranges(one["domain"]) for one in constraint.get("columnConstraints", []) if _is_ds(one)]
            table = Table(name["schema"], name["table"])
            found.tables.setdefault(table, []).append(ranges[0] if ranges else [(None, True, None, True)])
        return found

    def may(self, table: Table, ds: str) -> bool:
        """Whether it may read this slice. Of a table that it does not name, all."""
        scans = self.tables.get(table)
        return scans is None or any(_has(one, ds) for scan in scans for one in scan)


def reading(sql: str, schema: str, relation: Callable[[Table], str | None]) -> str:
    """A query whose tables are read as `relation` says: by a SELECT in their place, or as they are for None.

    `schema`: where a name without one is. Raises UsageError for SQL that cannot be taken apart.
    """
    import sqlglot  # noqa: PLC0415 - a quarter of a second
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        trees = sqlglot.parse(sql, read="trino")
    except SqlglotError as error:
        said = " ".join(str(error).split())
        raise UsageError(f"with --as-of this SQL cannot be taken apart: {said}") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise UsageError("with --as-of a statement is one SELECT")
    tree = trees[0]
    own = {each.alias_or_name.lower() for each in tree.find_all(exp.CTE)}
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier) or (not node.db and node.name.lower() in own):
            continue
        select = relation(Table((node.db or schema).lower(), node.name.lower()))
        if select is not None:
            _put(node, sqlglot.parse_one(select, read="trino"))
    return tree.sql(dialect="trino")


def body_of(create_view: str) -> str:
    """The SELECT of a view, as SHOW CREATE VIEW has it."""
    return _BODY.split(create_view, maxsplit=1)[-1]


def latest_of(select: str) -> Table | None:
    """The table of which a view is the latest one: all columns of one slice, named by its ds. None for other views."""
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        tree = sqlglot.parse_one(select, read="trino")
    except SqlglotError:
        return None
    where, tables = tree.args.get("where"), list(tree.find_all(exp.Table))
    if not isinstance(tree, exp.Select) or where is None or len(tables) != 1 or not tree.is_star:
        return None
    condition = where.this.unnest()
    is_one = isinstance(condition, exp.EQ) and condition.left.name.lower() == "ds" and condition.right.is_string
    return Table(tables[0].db.lower(), tables[0].name.lower()) if is_one else None


def as_it_was(
    table: str, columns: Mapping[str, str], without: Sequence[str], kept: Mapping[str, tuple[str, Mapping[str, str]]]
) -> str:
    """The rows of a table as it was: of what is published those slices that were, and in place of others kept versions.

    `columns`: its own but ds, with their types. `kept`: of a ds, a relation of the version's rows, and its columns.
    """
    names = ", ".join(map(_quoted, columns))
    where = f" where ds not in ({', '.join(map(_literal, without))})" if without else ""
    parts = [f"select {names}, ds from {table}{where}"]
    for ds, (relation, has) in kept.items():
        values = [_quoted(n) if n in has else f"cast(null as {type}) as {_quoted(n)}" for n, type in columns.items()]
        parts.append(f"select {', '.join(values)}, {_literal(ds)} as ds from {relation}")
    return " union all ".join(parts)


def _put(node: Any, select: Any) -> None:
    """A SELECT in the place of a table, under the name that this has in the statement."""
    from sqlglot import exp  # noqa: PLC0415

    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
    instead = exp.Subquery(this=select, alias=alias.copy())
    for name in ("joins", "laterals", "sample", "pivots"):
        if node.args.get(name):
            instead.set(name, node.args[name])
    node.replace(instead)


def _is_ds(constraint: Mapping[str, Any]) -> bool:
    return str(constraint["columnName"]).lower() == "ds"


def _ranges(domain: Mapping[str, Any]) -> list[Bounds]:
    return [(*_bound(each.get("low") or {}), *_bound(each.get("high") or {})) for each in domain.get("ranges", [])]


def _bound(end: Mapping[str, Any]) -> tuple[str | None, bool]:
    return end.get("value"), end.get("bound", "EXACTLY") == "EXACTLY"


def _has(bounds: Bounds, ds: str) -> bool:
    low, with_low, high, with_high = bounds
    above = low is None or ds > low or (with_low and ds == low)
    return above and (high is None or ds < high or (with_high and ds == high))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
