"""Shows an answer: a table for a person, CSV and JSON for programs."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from dayslice.engines.answers import Answer

_NUMBERS = ("int", "decimal", "double", "float", "real", "number", "numeric")
# A table on a terminal is read by eyes; a limit that cut it is said.
ON_A_TERMINAL = 100
_SPECIAL = set(',"\r\n')


def show_answer(answer: Answer, limit: int | None) -> None:
    """A table, or a list of fields where its columns do not fit side by side."""
    limit = ON_A_TERMINAL if limit is None else limit
    rows = list(islice(answer.rows(), limit + 1)) if limit else list(answer.rows())
    more = bool(limit) and len(rows) > limit
    shown = [[_text(value) for value in row] for row in rows[: limit or None]]
    console = Console(highlight=False)
    width = console.width if console.is_terminal else 10_000
    fields = [max([len(name), *(len(row[at]) for row in shown)]) for at, name in enumerate(answer.names)]
    if sum(fields) + 2 * len(fields) <= width:
        Console(highlight=False, width=width).print(_grid(answer, shown))
    else:
        for line in _records(answer.names, shown):
            click.echo(line)
    told = f"the first {limit:,} rows; --limit N shows more, --limit 0 all" if more else _count(len(shown))
    click.echo(f"({told})", err=True)


def write_csv(answer: Answer, limit: int | None) -> None:
    """A header and a line a row. NULL is empty and '' is `""`, so that they can be told apart."""
    write = sys.stdout.write
    write(",".join(_field(name) for name in answer.names) + "\n")
    for row in islice(answer.rows(), limit or None):
        write(",".join("" if value is None else _field(_plain(value)) for value in row) + "\n")


def write_json(answer: Answer, limit: int | None) -> None:
    """One list, an object a row, written as the rows come."""
    begin = "["
    for row in islice(answer.rows(), limit or None):
        document = dict(zip(answer.names, map(_json, row), strict=True))
        sys.stdout.write(f"{begin}\n  {json.dumps(document, ensure_ascii=False)}")
        begin = ","
    sys.stdout.write("\n]\n" if begin == "," else "[]\n")


WRITERS: dict[str, Callable[[Answer, int | None], None]] = {"csv": write_csv, "json": write_json, "": show_answer}


def _grid(answer: Answer, rows: Sequence[Sequence[str]]) -> Grid:
    grid = Grid(box=None, header_style="bold", padding=(0, 1))
    for name, kind in zip(answer.names, answer.types, strict=True):
        number = any(word in kind.lower() for word in _NUMBERS) and not kind.endswith((")[]", "[]"))
        grid.add_column(Text(name), no_wrap=True, justify="right" if number else "left")
    for row in rows:
        grid.add_row(*map(Text, row))
    return grid


def _records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widest = max(map(len, names), default=0)
    for number, row in enumerate(rows, 1):
        yield f"row {number}"
        yield from (f"  {name:<{widest}}  {value}" for name, value in zip(names, row, strict=True))


def _count(rows: int) -> str:
    return f"{rows:,} row{'s' * (rows != 1)}"


def _text(value: Any) -> str:
    """On one line, and nothing that would drive a terminal."""
    text = "NULL" if value is None else _plain(value)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict | list | tuple):
        return json.dumps(_json(value), ensure_ascii=False)
    return str(value)


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or _SPECIAL & set(text) else text


def _json(value: Any) -> Any:
    """As JSON has it: a number where it is one exactly, else a text."""
    if isinstance(value, Decimal):
        number = int(value) if value.is_finite() and value == value.to_integral_value() else None
        close = float(value)
        return number if number is not None else close if Decimal(repr(close)) == value else f"{value:f}"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else _plain(value)
