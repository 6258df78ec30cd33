"""The SQL that compares two relations, as DuckDB and Trino both run it. Pure.

With a key: one full join, of which only the rows that differ are counted. Without one: both sides as multisets.
"""

import re
from collections.abc import Mapping, Sequence

from dayslice.rules.diff_words import Tolerance

_NUMBER = re.compile(r"(u?(tiny|small|huge|big)?int(eger)?|real|float|double|decimal)\b", re.IGNORECASE)
_ORDERED = re.compile(r"(date|time|timestamp|boolean)\b", re.IGNORECASE)
_TEXT = re.compile(r"(varchar|char|text)\b", re.IGNORECASE)


def quoted(name: str) -> str:
    """A name as both engines take it."""
    return '"' + name.replace('"', '""') + '"'


def is_number(type: str) -> bool:
    """Whether a column's values have a mean and differences."""
    return bool(_NUMBER.match(type)) and "[" not in type


def has_bounds(type: str, with_texts: bool) -> bool:
    """Whether a least and a greatest value may be shown: a text may be somebody's name."""
    plain = "[" not in type
    return plain and (is_number(type) or bool(_ORDERED.match(type)) or (with_texts and bool(_TEXT.match(type))))


def repeated_keys(relation: str, key: Sequence[str]) -> str:
    """How many keys are null or stand in several rows."""
    names = ", ".join(map(quoted, key))
    nulls = " or ".join(f"{quoted(each)} is null" for each in key)
    return (
        f"select count(*) from (select {names} from {relation} as t group by {names} "
        f"having count(*) > 1 or {nulls}) as repeated"
    )


def differs(name: str, types: tuple[str, str], tolerance: Tolerance | None) -> str:
    """The condition that a column of a joined row has two values."""
    a, b = f"a.{quoted(name)}", f"b.{quoted(name)}"
    if is_number(types[0]) != is_number(types[1]) or bool(_TEXT.match(types[0])) != bool(_TEXT.match(types[1])):
        return f"cast({a} as varchar) is distinct from cast({b} as varchar)"
    plain = f"{a} is distinct from {b}"
    if tolerance is None or not is_number(types[0]):
        return plain
    doubles = [f"cast({each} as double)" for each in (a, b)]
    allowed = repr(tolerance.amount)
    if tolerance.is_share:
        allowed += f" * greatest(abs({doubles[0]}), abs({doubles[1]}))"
    return f"({plain} and coalesce(abs({doubles[0]} - {doubles[1]}) > {allowed}, true))"


def joined(a: str, b: str, key: Sequence[str]) -> str:
    """Both sides, row by row."""
    return f"{a} as a full join {b} as b on " + " and ".join(f"a.{quoted(k)} = b.{quoted(k)}" for k in key)


def compared(a: str, b: str, key: Sequence[str], conditions: Mapping[str, str]) -> str:
    """Rows removed, added and changed, rows that met, keys removed and added, then the rows each column differs in.

    The last but one say whether the key is one: see `are_keys`.
    """
    one = quoted(key[0])
    both = f"a.{one} is not null and b.{one} is not null"
    some = " or ".join(conditions.values()) or "false"
    counts = [f"count(*) filter (where {both} and {each})" for each in conditions.values()]
    parts = [f"count(*) filter (where b.{one} is null)", f"count(*) filter (where a.{one} is null)"]
    parts += [f"count(*) filter (where {both} and ({some}))", f"count(*) filter (where {both})"]
    for side, other in (("a", "b"), ("b", "a")):
        keys = ", ".join(f"{side}.{quoted(each)}" for each in key)
        there = " and ".join([f"{other}.{one} is null", *(f"{side}.{quoted(each)} is not null" for each in key)])
        parts.append(f"count(distinct {f'({keys})' if len(key) > 1 else keys}) filter (where {there})")
    return f"select {', '.join([*parts, *counts])} from {joined(a, b, key)}"


def are_keys(rows: tuple[int, int], removed: int, added: int, met: int, keys: tuple[int, int]) -> bool:
    """Whether each row of both sides has a key of its own, by the full join of them.

    A key that stands twice on one side meets the other's twice, so that more rows met than are left of a side less
    those that met none; of those each has a key, and another one.
    """
    return (rows[0] - removed, rows[1] - added) == (met, met) and keys == (removed, added)


def multisets(a: str, b: str, columns: Sequence[str]) -> str:
    """Rows removed and added, of two relations without a key: equal rows count as often as they stand there."""
    # By their places: a table may have a column of any name.
    numbered = [f"c{number}" for number in range(len(columns))]
    shown = ", ".join(f"{quoted(name)} as {number}" for name, number in zip(columns, numbered, strict=True))
    return (
        f"select coalesce(sum(case when n > 0 then n end), 0), coalesce(sum(case when n < 0 then -n end), 0) from ("
        f"select sum(side) as n from (select {shown}, 1 as side from {a} as a "
        f"union all select {shown}, -1 as side from {b} as b) as both_sides group by {', '.join(numbered)} "
        "having sum(side) <> 0) as d"
    )


def drifts(relation: str, columns: Mapping[str, str], distinct: str, with_texts: bool) -> str:
    """What is said of each column: nulls, distinct values, least, greatest, mean. `distinct`: the engine's word."""
    parts = ["count(*)"]
    for name, type in columns.items():
        column = quoted(name)
        bounds = has_bounds(type, with_texts)
        parts += [
            f"count(*) - count({column})",
            f"{distinct}({column})" if "[" not in type and "(" not in type.replace("decimal(", "") else "null",
            f"cast(min({column}) as varchar)" if bounds else "null",
            f"cast(max({column}) as varchar)" if bounds else "null",
            f"avg(cast({column} as double))" if is_number(type) else "null",
        ]
    return f"select {', '.join(parts)} from {relation} as t"


def changed_rows(
    a: str, b: str, key: Sequence[str], columns: Sequence[str], conditions: Mapping[str, str], count: int
) -> str:
    """Some rows that differ: the key's values, then each column on the left and on the right."""
    keys = [f"coalesce(a.{quoted(k)}, b.{quoted(k)})" for k in key]
    values = [f"cast({side}.{quoted(c)} as varchar)" for c in columns for side in ("a", "b")]
    one = quoted(key[0])
    sides = f"case when b.{one} is null then 'removed' when a.{one} is null then 'added' else 'changed' end"
    where = " or ".join([f"a.{one} is null", f"b.{one} is null", *conditions.values()])
    shown = ", ".join([f"{sides} as what", *(f"cast({k} as varchar)" for k in keys), *values])
    return f"select {shown} from {joined(a, b, key)} where {where} order by 1 desc, 2 limit {count}"
