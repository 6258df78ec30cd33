"""The arithmetic of ds: the one home of grains, offsets, ranges and bounds.

A ds is the label of a period in the project's time zone: `2018-03-01` (a day), `2018-03-01T13` (an hour),
`2018-03-01T1315` (15 minutes). It is ISO 8601's extended date with, for the finer grains, the basic time: no
colon, so that it is a path and a partition value everywhere; it sorts as text.

A label means all that the wall clock of the time zone shows under it. Where a clock is put back, it shows an hour
twice: that label holds both, and is over after the second (`bounds`). Where it is put forward, it never shows some
labels: those do not exist, nothing is computed, waited for or scheduled for them, and the label before is the one
before (`exists`; `shift`, `span`, `cover` and `window` leave them out where they are told the time zone).
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache

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
_TICK = timedelta(microseconds=1)
_FORMAT = {Grain.DAY: "%Y-%m-%d", Grain.HOUR: "%Y-%m-%dT%H", Grain.QUARTER_HOUR: "%Y-%m-%dT%H%M"}
# A thousand tables have the same ds: to parse one takes longer than all else that a plan does with it.
_KEPT = 1 << 14
_SHAPE = {
    Grain.DAY: re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    Grain.HOUR: re.compile(r"\d{4}-\d\d-\d\dT\d\d", re.ASCII),
    Grain.QUARTER_HOUR: re.compile(r"\d{4}-\d\d-\d\dT\d{4}", re.ASCII),
}


@lru_cache(maxsize=_KEPT)
def grain_of(ds: str) -> Grain:
    """The grain that a ds is written in. Raises UsageError for what is no ds."""
    for grain, shape in _SHAPE.items():
        if shape.fullmatch(ds):
            _read(ds, grain)
            return grain
    examples = ", ".join(f"{grain.example} ({grain.value})" for grain in Grain)
    raise UsageError(f"{ds!r} is no ds: write it as {examples}")


@lru_cache(maxsize=_KEPT)
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


@lru_cache(maxsize=_KEPT)
def shift(ds: str, periods: int, zone: tzinfo = UTC) -> str:
    """The ds that is `periods` periods of its own grain later (negative: earlier)."""
    grain = grain_of(ds)
    start = _read(ds, grain)
    try:
        found = start + periods * grain.length
        while True:
            low, high = min(start, found), max(start, found)
            skipped = sum(each != start for each in _missing_between(low, high, grain, zone))
            further = start + (periods + (skipped if periods > 0 else -skipped)) * grain.length
            if further == found:
                return _write(found, grain)
            found = further
    except OverflowError:
        raise UsageError(f"{ds!r} shifted by {periods} leaves the calendar (years 1 to 9999)") from None


def window(ds: str, periods: int, zone: tzinfo = UTC) -> list[str]:
    """The last `periods` slices up to and with `ds`, oldest first."""
    if periods < 1:
        raise UsageError(f"a range takes at least 1 slice, not {periods}")
    return [shift(ds, offset, zone) for offset in range(1 - periods, 1)]


def span(first: str, last: str, zone: tzinfo = UTC) -> list[str]:
    """Every ds from `first` to `last`, both included, oldest first. Raises UsageError for two grains."""
    grain = grain_of(first)
    parse_ds(last, grain)
    start, end = _read(first, grain), _read(last, grain)
    count = (end - start) // grain.length + 1
    return _existing((start + n * grain.length for n in range(count)), grain, zone)


def cover(ds: str, grain: Grain, zone: tzinfo = UTC) -> list[str]:
    """The slices of a table of `grain` that make up the period `ds`, oldest first.

    A finer table gives all of its slices within the period; a coarser one gives the one that contains it.
    """
    own = grain_of(ds)
    start = _read(ds, own)
    if grain.length >= own.length:
        return [containing(start, grain)]
    count = own.length // grain.length
    return _existing((start + n * grain.length for n in range(count)), grain, zone)


def containing(moment: datetime, grain: Grain) -> str:
    """The ds of `grain` whose period contains a wall-clock moment."""
    # Airflow hands out pendulum's times, whose arithmetic is another (python-pendulum/pendulum#382): a plain one.
    start = datetime(moment.year, moment.month, moment.day)
    if grain is not Grain.DAY:
        start += timedelta(hours=moment.hour)
    if grain is Grain.QUARTER_HOUR:
        start += timedelta(minutes=moment.minute // 15 * 15)
    return _write(start, grain)


def ds_at(moment: datetime, grain: Grain, zone: tzinfo = UTC) -> str:
    """The ds of `grain` whose period contains an instant (an aware datetime, of any library)."""
    return containing(_plain(moment).astimezone(zone), grain)


def bounds(ds: str, zone: tzinfo = UTC) -> tuple[datetime, datetime]:
    """The interval [start, end) of a ds, as two UTC instants, in the project's time zone.

    From the first instant that its wall clock shows under the label to the last; both the same where it shows none.
    Consecutive ones meet, but for 15 minutes of an hour that is repeated: those overlap (`is_split`).
    """
    grain = grain_of(ds)
    try:
        return _bounds(_read(ds, grain), grain.length, zone)
    except OverflowError:
        raise UsageError(f"{ds!r} reaches beyond the calendar (years 1 to 9999)") from None


def wall_bounds(ds: str, zone: tzinfo = UTC) -> tuple[datetime, datetime]:
    """The half-open interval of a ds on the wall clock (naive), for times that are kept without a time zone.

    Times that the clock never showed, right before it, are taken to be its: so each belongs to one ds.
    """
    grain = grain_of(ds)
    begin = start = _read(ds, grain)
    while begin - grain.length in _missing(begin.year, grain, zone):
        begin -= grain.length
    return begin, start + grain.length


def exists(ds: str, zone: tzinfo = UTC) -> bool:
    """Whether the zone's clock ever shows it: not where it is put forward over the whole of it."""
    start, end = bounds(ds, zone)
    return start < end


def is_split(ds: str, zone: tzinfo = UTC) -> bool:
    """Whether its bounds hold instants of other labels too: 15 minutes of an hour that the clock repeats."""
    start, end = bounds(ds, zone)
    grain = grain_of(ds)
    wall = _read(ds, grain)
    if end - start <= grain.length:
        return False
    before = _bounds(wall - grain.length, grain.length, zone)
    after = _bounds(wall + grain.length, grain.length, zone)
    return before[1] > start or after[0] < end


def is_over(ds: str, zone: tzinfo = UTC, now: datetime | None = None) -> bool:
    """Whether its period is over at `now` (an aware datetime; default: the clock)."""
    return bounds(ds, zone)[1] <= _plain(now or datetime.now(UTC))


def last_complete(now: datetime, grain: Grain, zone: tzinfo = UTC) -> str:
    """The newest ds whose period is over at `now` (an aware datetime)."""
    ds = shift(ds_at(now, grain, zone), -1, zone)
    while not is_over(ds, zone, now):
        ds = shift(ds, -1, zone)
    return ds


def _existing(labels: Iterable[datetime], grain: Grain, zone: tzinfo) -> list[str]:
    found = list(labels)
    missing = frozenset(_missing_between(found[0], found[-1], grain, zone)) if found else ()
    return [_write(each, grain) for each in found if each not in missing]


def _missing_between(first: datetime, last: datetime, grain: Grain, zone: tzinfo) -> list[datetime]:
    if zone is UTC:
        return []
    years = range(first.year, last.year + 1)
    return [each for year in years for each in _missing(year, grain, zone) if first <= each <= last]


@lru_cache(maxsize=1024)
def _missing(year: int, grain: Grain, zone: tzinfo) -> tuple[datetime, ...]:
    """The beginnings of those labels of a year that the clock leaps over."""
    days = [datetime(year, 1, 1) + timedelta(days=n) for n in range(-1 if year > 1 else 0, 366 if year < 9999 else 364)]
    offsets = [day.replace(tzinfo=zone).utcoffset() or timedelta() for day in days]
    leaps = {n for n in range(1, len(days)) if offsets[n] > offsets[n - 1]}
    near = sorted({days[n] for leap in leaps for n in (leap - 1, leap)})
    labels = [day + n * grain.length for day in near for n in range(timedelta(days=1) // grain.length)]
    return tuple(each for each in labels if each.year == year and len({*_bounds(each, grain.length, zone)}) == 1)


@lru_cache(maxsize=4096)
def _bounds(start: datetime, length: timedelta, zone: tzinfo) -> tuple[datetime, datetime]:
    if zone is UTC:
        return start.replace(tzinfo=UTC), (start + length).replace(tzinfo=UTC)
    last = start + length - _TICK
    # The last moment of the label, the second time that the clock shows it, if it shows it twice.
    twice = last.replace(tzinfo=zone, fold=1).utcoffset() != last.replace(tzinfo=zone).utcoffset()
    shown = not _is_gap(last, zone)
    if twice and shown:
        end = last.replace(tzinfo=zone, fold=1).astimezone(UTC) + _TICK
    else:
        end = _instant(start + length, zone)
    return _instant(start, zone), end


def _is_gap(wall: datetime, zone: tzinfo) -> bool:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    """The first instant at which the zone's clock shows this time, or a later one."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if not _is_gap(wall, zone):
        return found
    # A time that the clock leaps over: the instant of its leap.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = 0, int((found - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)


def _plain(moment: datetime) -> datetime:
    """The same instant in UTC. Airflow hands out pendulum's, whose arithmetic is another: a plain one."""
    utc = moment.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC)
