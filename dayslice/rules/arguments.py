"""What people write in the brackets of `slice()`, `all_slices()` and `ds()`, checked while the project is parsed."""

from dataclasses import dataclass
from typing import Any

from dayslice.errors import UsageError


@dataclass(frozen=True)
class SliceArguments:
    """What is read. `name` is None for the model's own slices (`this`)."""

    source: str | None
    name: str | None
    offset: int = 0
    range: int = 1


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
