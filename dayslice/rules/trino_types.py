"""Types as Trino writes them and as a Hive metastore holds them: one parser of both, so that they can be compared.

`row("a b" varchar(3), at timestamp(3))` and `struct<a b:string,at:timestamp>` are one type. Pure.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from dayslice.errors import UsageError

# Hive's own names, as Trino calls them.
_OF_HIVE = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary", "struct": "row"}
_HELD = {
    *("boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal", "varchar", "char"),
    *("varbinary", "date", "timestamp", "array", "map", "row"),
}
_AS_TEXT = "cast({name} as varchar)"
# What a table cannot hold, and how to write it instead.
_INSTEAD = {
    "timestamp with time zone": "cast({name} at time zone 'UTC' as timestamp(6))",
    "json": "json_format({name})",
    "unknown": "cast({name} as varchar), or as the type that it is to have",
    "hyperloglog": "cast({name} as varbinary)",
    "p4hyperloglog": "cast({name} as varbinary)",
    "qdigest": "cast({name} as varbinary)",
    "tdigest": "cast({name} as varbinary)",
    "setdigest": "cast({name} as varbinary)",
    "geometry": "to_encoded_polyline or ST_AsBinary({name})",
    "sphericalgeography": "ST_AsBinary(to_geometry({name}))",
}
_LONGEST_CHAR = 255
_FINEST = 6


@dataclass(frozen=True)
class Type:
    """A parsed type: its name in Trino's words, its numbers, and what it is made of; `names` are a row's fields."""

    name: str
    numbers: tuple[int, ...] = ()
    parts: tuple["Type", ...] = ()
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        inner = [str(part) for part in self.parts]
        if self.names:
            inner = [f"{_quoted(name)} {part}".strip() for name, part in zip(self.names, inner, strict=True)]
        words, zone, rest = self.name.partition(" ")  # a precision stands before `with time zone`
        inside = ", ".join(inner) or ",".join(map(str, self.numbers))
        return f"{words}({inside}){zone}{rest}" if inside else self.name


def parse(text: str) -> Type:
    """A type of Trino or Hive. Raises UsageError for what is none."""
    reader = _Reader(text)
    found = reader.type()
    if reader.at < len(text):
        reader.fail()
    return found


def stored(type: Type) -> Type:
    """As a Hive table holds it, at every depth: texts have no length, and timestamps are in microseconds."""
    if type.name == "varchar":
        return Type("varchar")
    if type.name == "timestamp":
        return Type("timestamp", (_FINEST,))
    names = tuple(name.lower() for name in type.names)
    return Type(type.name, type.numbers, tuple(map(stored, type.parts)), names)


def same(one: str, other: str) -> bool:
    """Whether two types are stored alike."""
    return stored(parse(one)) == stored(parse(other))


def column_type(column: str, text: str) -> str:
    """The type of a stored column whose SELECT gives `text`. Raises UsageError, and says what to write instead."""
    type = parse(text)
    for place, part in _walk(column, type):
        if advice := _advice(part):
            whole = f"column {column} is of type {text}" + (f", and its {place} of type {part}" if part != type else "")
            instead = advice.format(name=column if part == type else "…")
            raise UsageError(f"{whole}, which a table on Trino cannot hold: write {instead}" + _inside(part, type))
    return str(stored(type))


def _inside(part: Type, type: Type) -> str:
    if part == type:
        return ""
    return f", by transform() in an array or a map, or by a cast of the whole {type.name} to one with such a field"


def _advice(type: Type) -> str | None:
    if type.name not in _HELD:
        return _INSTEAD.get(type.name, _AS_TEXT)
    return _advice_by_numbers(type) or _advice_by_parts(type)


def _advice_by_numbers(type: Type) -> str | None:
    if type.name == "timestamp" and type.numbers and type.numbers[0] > _FINEST:
        return f"cast({{name}} as timestamp({_FINEST})), which rounds, perhaps into the next day"
    if type.name == "char" and type.numbers and type.numbers[0] > _LONGEST_CHAR:
        return _AS_TEXT
    return None


def _advice_by_parts(type: Type) -> str | None:
    if type.name == "row" and "" in type.names:
        return "cast({name} as row(a …, b …)), so that each field has a name"
    for name in type.names:
        if re.search(r"[,:<>]", name):
            return f"a cast to a row whose field is not called {name}: Hive takes no comma, colon or angle there"
    if any(part.name == "unknown" for part in type.parts):
        return "cast({name} as " + str(_known(type)) + "), or another type of its elements"
    return None


def _known(type: Type) -> Type:
    parts = tuple(Type("varchar") if part.name == "unknown" else _known(part) for part in type.parts)
    return Type(type.name, type.numbers, parts, type.names)


def _walk(place: str, type: Type) -> list[tuple[str, Type]]:
    names = type.names or ("key", "value") if type.name == "map" else type.names or ("element",) * len(type.parts)
    inner = [each for name, part in zip(names, type.parts, strict=False) for each in _walk(name or "field", part)]
    return [(place, type), *inner]


def _quoted(name: str) -> str:
    # Always: which words are reserved is Trino's to change.
    return '"' + name.replace('"', '""') + '"' if name else ""


class _Reader:
    """Reads one type from where it stands."""

    def __init__(self, text: str):
        self.text = text
        self.at = 0

    def type(self) -> Type:
        self.skip()
        name = self.word().lower()
        name = _OF_HIVE.get(name, name)
        numbers: list[int] = []
        parts: list[Type] = []
        names: list[str] = []
        if self.takes("("):
            self.inside(")", name, numbers, parts, names)
        elif self.takes("<"):
            self.inside(">", name, numbers, parts, names)
        if name in ("timestamp", "time", "interval", "double"):
            name += self.rest_of_name()
        return Type("double" if name == "double precision" else name, tuple(numbers), tuple(parts), tuple(names))

    def inside(self, end: str, name: str, numbers: list[int], parts: list[Type], names: list[str]) -> None:
        while True:
            self.skip()
            if found := re.compile(r"\d+(?=\s*[,)])").match(self.text, self.at):
                numbers.append(int(found[0]))
                self.at = found.end()
            elif name == "row":
                names.append(self.field(end))
                parts.append(self.type())
            else:
                parts.append(self.type())
            self.skip()
            if self.takes(end):
                return
            if not self.takes(","):
                self.fail()

    def field(self, end: str) -> str:
        """The name of a row's field; "" for one that has none."""
        if end == ">":  # of Hive: all up to the colon, as it is
            name, _, _ = self.text[self.at :].partition(":")
            self.at += len(name) + 1
            return name.strip("`")
        if self.text[self.at : self.at + 1] == '"':
            found = re.compile(r'"((?:[^"]|"")*)"').match(self.text, self.at)
            if found is None:
                self.fail()
            self.at = found.end()
            return found[1].replace('""', '"')
        # A name, a space, and a type; or only a type, which may be two words.
        found = re.compile(r"(\w+)\s+(?!with\b|without\b|precision\b|year\b|day\b)(?=\w)").match(self.text, self.at)
        if found is None:
            return ""
        if found[1].lower() == "interval" and re.match(r"(year|day)\b", self.text[found.end() :]):
            return ""
        self.at = found.end()
        return found[1]

    def rest_of_name(self) -> str:
        found = re.compile(
            r"\s*(with(?:out)? time zone|with local time zone|year to month|day to second|precision)\b", re.IGNORECASE
        ).match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return "" if found[1].lower() == "without time zone" else " " + found[1].lower()

    def word(self) -> str:
        found = re.compile(r"[\w$]+").match(self.text, self.at)
        if found is None:
            self.fail()
        self.at = found.end()
        return found[0]

    def takes(self, mark: str) -> bool:
        self.skip()
        if self.text[self.at : self.at + 1] != mark:
            return False
        self.at += 1
        return True

    def skip(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def fail(self) -> NoReturn:
        raise UsageError(f"{self.text!r} is no type that is known here, from {self.text[self.at :]!r} on")
