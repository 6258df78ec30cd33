"""What people write in the brackets of `slice()`, `asof()`, `history()` and their like, checked while dbt parses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as calendar_date
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.calendar import parse_ds
from dayslice.rules.waits import RUN_DS


@dataclass(frozen=True)
class SliceArguments:
    """What is read. `name` is None for the model's own slices (`this`)."""

    source: str | None
    name: str | None
    offset: int = 0
    range: int = 1


@dataclass(frozen=True)
class AsofArguments:
    """What is read as of a date: the run's ds (RUN_DS), `offset` periods away, or a date."""

    source: str | None
    name: str
    date: str
    offset: int = 0


@dataclass(frozen=True)
class HistoryArguments:
    """The table whose changes are kept, the columns that say which rows are the same thing, those left out."""

    source: str | None
    name: str
    key: tuple[str, ...]
    without: tuple[str, ...]


# `ds(-7)` while there is no run: see the macro unknown_ds.
_UNKNOWN_DS = re.compile(r"\$ds(?P<offset>[+-]\d+)?")


def slice_arguments(where: str, is_this: bool, table: Any, second: Any, offset: Any, periods: Any) -> SliceArguments:
    """The arguments of `slice()`. `where`: the model's file; `is_this`: whether `table` is the model itself."""
    source = None
    if isinstance(second, str):
        source, table = table, second
        if is_this or not isinstance(source, str):
            raise UsageError(
                f"{where}: slice(…, '{second}'): the first of two names is a source: slice('source', 'table')"
            )
    elif second is not None:
        if offset is not None:
            raise UsageError(
                f"{where}: slice() is given two offsets, {second!r} and {offset!r}: write slice('table', -1)"
            )
        offset = second
    name = None if is_this else _name(where, "slice", table)
    away = _whole(where, "slice", "offset", 0 if offset is None else offset, "-1 for the slice before")
    count = _whole(where, "slice", "range", periods, "7 for the last seven slices")
    if count < 1:
        raise UsageError(f"{where}: slice(…, range={count}): a range is at least 1, as in slice('table', range=7)")
    if is_this and away >= 0:
        raise UsageError(f"{where}: slice(this, …) reads earlier slices only: write slice(this, -1)")
    return SliceArguments(source, name, away, count)


def all_slices_arguments(where: str, is_this: bool, table: Any, second: Any, wait: Any) -> SliceArguments:
    """The arguments of `all_slices()`; the offset is the slice that is waited for, and the range is 0 for none."""
    if is_this:
        raise UsageError(f"{where}: all_slices(this): a table's own rows are {{{{ this }}}}, and slice(this, -1) waits")
    source = None
    if second is not None:
        source, table = _name(where, "all_slices", table), second
    name = _name(where, "all_slices", table)
    if wait is None:
        return SliceArguments(source, name, 0, 0)
    return SliceArguments(source, name, _whole(where, "all_slices", "wait", wait, "-1, or none to wait for nothing"), 1)


def asof_arguments(where: str, is_this: bool, table: Any, second: Any, date: Any) -> AsofArguments:
    """The arguments of `asof()`. `date`, or `second` without a source: a ds, or what `ds()` gives."""
    if is_this:
        raise UsageError(f"{where}: asof(this, …): a table's own slice before is slice(this, -1), and it is waited for")
    source = None
    if second is not None and date is not None:
        source, table = _name(where, "asof", table), second
    elif date is None:
        date = second
    name = _name(where, "asof", table)
    if isinstance(date, str) and (found := _UNKNOWN_DS.fullmatch(date)):
        return AsofArguments(source, name, RUN_DS, int(found["offset"] or 0))
    try:
        return AsofArguments(source, name, parse_ds(date if isinstance(date, str | calendar_date) else str(date)))
    except UsageError:
        raise UsageError(
            f"{where}: asof('{name}', {date!r}): the date is a ds in quotes or ds(-7), and nothing made from it: write "
            f"asof('{name}', ds()) for the newest slice at or before the run's ds"
        ) from None


def history_arguments(where: str, table: Any, second: Any, key: Any, without: Any) -> HistoryArguments:
    """The arguments of `history()`."""
    source = None
    if second is not None:
        source, table = _name(where, "history", table), second
    name = _name(where, "history", table)
    keys, left_out = _columns(where, "key", key), _columns(where, "without", without)
    if not keys:
        raise UsageError(
            f"{where}: history('{name}') needs the columns that say which rows are the same thing: key='customer_id', "
            f"or a list of them"
        )
    if both := set(keys) & set(left_out):
        raise UsageError(f"{where}: history(): {sorted(both)[0]} is in the key, so it cannot be left out")
    return HistoryArguments(source, name, keys, left_out)


def _columns(where: str, argument: str, given: Any) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if isinstance(names, Sequence) and all(isinstance(each, str) and each for each in names):
        return tuple(each.lower() for each in names)
    raise UsageError(f"{where}: history(): {argument} is {given!r}, not a column's name in quotes or a list of them")


def ds_periods(where: str, periods: Any) -> int:
    """The argument of `ds()`."""
    return _whole(where, "ds", "periods", periods, "ds(-1) for the slice before")


def table_name(where: str, macro: str, table: Any) -> str:
    """The one argument of `latest()`."""
    return _name(where, macro, table)


def _name(where: str, macro: str, given: Any) -> str:
    if isinstance(given, str) and given:
        return given
    raise UsageError(
        f"{where}: the table that {macro}() names is no text: write it in quotes, as in {macro}('flights_flat')"
    )


def _whole(where: str, macro: str, argument: str, given: Any, example: str) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise UsageError(f"{where}: {macro}(): {argument} is {given!r}, not a whole number: write {example}")
