"""The arithmetic of ds: the one home of grains, offsets, ranges and bounds.

A ds is the label of a period in the project's time zone: `2018-03-01` (a day), `2018-03-01T13` (an hour),
`2018-03-01T1315` (15 minutes). It is ISO 8601's extended date with, for the finer grains, the basic time: no
colon, so that it is a path and a partition value everywhere; it sorts as text.

Labels are counted on the wall clock. Where a clock is put back, one hour label covers two hours; where it is put
forward, one covers none; consecutive labels always meet (`bounds`).
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum

from dayslice.errors import UsageError


class Grain(Enum):
    """The length of a table's period."""

    DAY = "day"
    HOUR = "hour"
    QUARTER_HOUR = "15min"

    @property
    def length(self) -> timedelta:
        """The period's length on the wall clock."""
        return _LENGTH[self]

    @property
    def example(self) -> str:
        """A ds of this grain, for messages."""
        return _EXAMPLE[self]

    @classmethod
    def parse(cls, text: str) -> "Grain":
        """The grain that a YAML file names. Raises UsageError."""
        try:
            return cls(text)
        except ValueError:
            known = ", ".join(grain.value for grain in cls)
            raise UsageError(f"{text!r} is no grain: write one of {known}") from None


_LENGTH = {
    Grain.DAY: timedelta(days=1),
    Grain.HOUR: timedelta(hours=1),
    Grain.QUARTER_HOUR: timedelta(minutes=15),
}
_EXAMPLE = {Grain.DAY: "2018-03-01", Grain.HOUR: "2018-03-01T13", Grain.QUARTER_HOUR: "2018-03-01T1315"}
_FORMAT = {Grain.DAY: "%Y-%m-%d", Grain.HOUR: "%Y-%m-%dT%H", Grain.QUARTER_HOUR: "%Y-%m-%dT%H%M"}
_SHAPE = {
    Grain.DAY: re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    Grain.HOUR: re.compile(r"\d{4}-\d\d-\d\dT\d\d", re.ASCII),
    Grain.QUARTER_HOUR: re.compile(r"\d{4}-\d\d-\d\dT\d{4}", re.ASCII),
}


def grain_of(ds: str) -> Grain:
    """The grain that a ds is written in. Raises UsageError for what is no ds."""
    for grain, shape in _SHAPE.items():
        if shape.fullmatch(ds):
            _read(ds, grain)
            return grain
    examples = ", ".join(f"{grain.example} ({grain.value})" for grain in Grain)
    raise UsageError(f"{ds!r} is no ds: write it as {examples}")


def _read(ds: str, grain: Grain) -> datetime:
    try:
        start = datetime.strptime(ds, _FORMAT[grain])
    except ValueError:
        raise UsageError(f"{ds!r} is no ds: there is no such {grain.value} in the calendar") from None
    if start.minute % 15:
        raise UsageError(f"{ds!r} is no ds: a 15min slice begins at minute 00, 15, 30 or 45")
    return start


def parse_ds(value: object, grain: Grain | None = None) -> str:
    """A ds as dbt's `--vars`, the environment or a command line gives it (text, or a date that YAML made of it).

    Raises UsageError, in one line, for what is no ds or, with `grain`, for a ds of another grain.
    """
    ds = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else str(value)
    found = grain_of(ds)
    if grain is not None and found is not grain:
        raise UsageError(f"{ds!r} is a ds of grain {found.value}; this needs {grain.value}: {grain.example}")
    return ds


def _write(start: datetime, grain: Grain) -> str:
    # strftime does not pad the year before 1000.
    return f"{start.year:04d}" + start.strftime(_FORMAT[grain][2:])


def shift(ds: str, periods: int) -> str:
    """The ds that is `periods` periods of its own grain later (negative: earlier)."""
    grain = grain_of(ds)
    try:
        return _write(_read(ds, grain) + periods * grain.length, grain)
    except OverflowError:
        raise UsageError(f"{ds!r} shifted by {periods} leaves the calendar (years 1 to 9999)") from None


def window(ds: str, periods: int) -> list[str]:
    """The last `periods` slices up to and with `ds`, oldest first."""
    if periods < 1:
        raise UsageError(f"a range takes at least 1 slice, not {periods}")
    return [shift(ds, offset) for offset in range(1 - periods, 1)]


def span(first: str, last: str) -> list[str]:
    """Every ds from `first` to `last`, both included, oldest first. Raises UsageError for two grains."""
    grain = grain_of(first)
    parse_ds(last, grain)
    start, end = _read(first, grain), _read(last, grain)
    count = (end - start) // grain.length + 1
    return [_write(start + n * grain.length, grain) for n in range(count)]


def cover(ds: str, grain: Grain) -> list[str]:
    """The slices of a table of `grain` that make up the period `ds`, oldest first.

    A finer table gives all of its slices within the period; a coarser one gives the one that contains it.
    """
    own = grain_of(ds)
    start = _read(ds, own)
    if grain.length >= own.length:
        return [containing(start, grain)]
    return [_write(start + n * grain.length, grain) for n in range(own.length // grain.length)]


def containing(moment: datetime, grain: Grain) -> str:
    """The ds of `grain` whose period contains a wall-clock moment."""
    floored = datetime(moment.year, moment.month, moment.day)
    if grain is not Grain.DAY:
        floored += (moment.replace(tzinfo=None) - floored) // grain.length * grain.length
    return _write(floored, grain)


def bounds(ds: str, zone: tzinfo = UTC) -> tuple[datetime, datetime]:
    """The half-open interval [start, end) of a ds, as two UTC instants, in the project's time zone."""
    grain = grain_of(ds)
    start = _read(ds, grain)
    return _instant(start, zone), _instant(start + grain.length, zone)


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def last_complete(now: datetime, grain: Grain, zone: tzinfo = UTC) -> str:
    """The newest ds whose period is over at `now` (an aware datetime)."""
    return shift(containing(now.astimezone(zone), grain), -1)
