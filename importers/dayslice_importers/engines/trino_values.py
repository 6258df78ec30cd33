"""What Trino makes of an import's values: of the text that landed, and of the typed columns beside it. Pure.

A typed column's name has its type in it, `share@real`: slices whose column had other types have other columns, and who
reads some of a table that has neither gets null.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dayslice.engines.landed_csv import Columns, quoted, unescaped
from dayslice.engines.reading import view_types
from dayslice.errors import Refused
from dayslice.metastore.partitions import TYPED
from dayslice.rules.decoding import Decoding

# What DuckDB's types, which receipts hold, are called here.
_TYPES = {
    "timestamp": "timestamp(6)",
    "timestamptz": "timestamp(6) with time zone",
    "time": "time(6)",
    "blob": "varbinary",
}
# What Hive's files hold instead of a type that they have not.
_STORED_AS = {"timestamptz": "timestamp(6)", "time": "varchar", "uuid": "varchar"}
# An instant has 52 bits for its milliseconds here.
_LAST_INSTANT = "timestamp '73326-09-11 20:14:45'"


@dataclass(frozen=True)
class Shown:
    """Slices with the same columns, as readers are shown them: by their typed columns, or by the CSV."""

    columns: Columns
    as_columns: bool

    def sources(self) -> set[tuple[str, str]]:
        """The columns that a view reads of these slices, each with what it is called where it lies."""
        return {(name, typed_name(name, kind) if self.as_columns else name) for name, _, _, kind, _ in self.columns}


def type_here(kind: str) -> str:
    """A receipt's type, in Trino's word."""
    return _TYPES.get(kind, kind)


def stored_type(kind: str) -> str:
    """The type in which a typed column of a receipt's type is written."""
    return _STORED_AS.get(kind, type_here(kind))


def typed_name(name: str, kind: str) -> str:
    """The typed column of a column that has this type."""
    return name + TYPED + re.sub(r"\W+", "_", kind).strip("_")


def decoded(name: str, type: str, decoding: str) -> str:
    """A column's value from its landed text; `type` as a receipt has it."""
    column = quoted(name)
    if decoding == Decoding.TEXT.value:
        column = f"if(strpos({column}, '\\') > 0, {unescaped(column)}, {column})"
    elif decoding == Decoding.HEX.value:
        # COPY writes \\x and digits: three characters before the first digit.
        return f"from_hex(substr({column}, 4))"
    elif decoding == Decoding.ERA.value:
        # The year before 1 is 0 here, and 1 BC there.
        year = f"lpad(cast(cast(split_part({column}, '-', 1) as integer) - 1 as varchar), 4, '0')"
        rest = f"substr({column}, strpos({column}, '-'), length({column}) - strpos({column}, '-') - 2)"
        column = f"if({column} like '% BC', '-' || {year} || {rest}, {column})"
    if type == "varchar":
        return column
    if type == "timestamptz":
        # Imports read in UTC, so that each ends with +00.
        return f"with_timezone(cast(regexp_replace({column}, '\\+00$') as timestamp(6)), 'UTC')"
    return f"cast({column} as {type_here(type)})"


def written(name: str, kind: str, decoding: str) -> str:
    """The value of a typed column as it is written, from the landed text."""
    value = decoded(name, kind, decoding)
    if kind in _STORED_AS:
        value = f"cast({value} as {_STORED_AS[kind]})"
    if kind == "timestamptz":
        # A later one could be written, and not be read.
        value = f"if({value} >= {_LAST_INSTANT}, cast(fail('it is too late') as timestamp(6)), {value})"
    return value


def _read(name: str, kind: str, wanted: str) -> str:
    """The value of a typed column, as a type that holds it exactly."""
    value = quoted(typed_name(name, kind))
    if kind == "timestamptz":
        value = f"with_timezone({value}, 'UTC')"
    elif kind in _STORED_AS or kind != wanted:
        value = f"cast({value} as {type_here(wanted)})"
    return value


def view_columns(types: dict[str, str], shown: Sequence[Shown]) -> list[str]:
    """The columns of a view over such slices; `types` are those of all that stand, in their order."""
    return [f"{_value(name, type, shown)} as {quoted(name)}" for name, type in types.items()]


def text_columns(columns: Columns) -> list[str]:
    """The columns of a view over the CSV of slices with these columns."""
    return view_columns(view_types([columns]), [Shown(columns, as_columns=False)])


def _value(name: str, type: str, shown: Sequence[Shown]) -> str:
    typed: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()
    for each in shown:
        for own, _, _, kind, decoding in each.columns:
            if own == name and each.as_columns:
                typed[_read(name, kind, type)] = None
            elif own == name:
                seen.add((kind, decoding))
    values = [*([_of_text(name, type, seen)] if seen else []), *typed]
    if not values:
        return f"cast(null as {type_here(type)})"
    # Of one slice no more than one of them is not null: in the others' files there is no such column.
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _of_text(name: str, type: str, seen: set[tuple[str, str]]) -> str:
    decodings = {decoding for _, decoding in seen}
    if Decoding.HEX.value in decodings and type != "blob":
        raise Refused(
            f"column {name} changed from or to bytea, which cannot be one column on Trino: give it a new name"
        )
    # To undo escapes where there can be none changes nothing. As a text a date is what PostgreSQL printed.
    if Decoding.TEXT.value in decodings:
        return decoded(name, type, Decoding.TEXT.value)
    return decoded(name, type, Decoding.NONE.value if type == "varchar" else decodings.pop())


def all_sources(shown: Iterable[Shown]) -> set[tuple[str, str]]:
    """See `Shown.sources`."""
    return {source for each in shown for source in each.sources()}
