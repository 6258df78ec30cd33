"""When a table's run begins, and when it is late: cron lines and durations, checked against the grain. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from croniter import CroniterError, croniter
from pytimeparse.timeparse import timeparse

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, bounds, cover, last_complete, span

# Soon after a period is over: late enough for a source's last commits, and not on the minute when all else starts.
DEFAULT_CRON = {Grain.DAY: "30 0 * * *", Grain.HOUR: "5 * * * *", Grain.QUARTER_HOUR: "2-59/15 * * * *"}
# How many runs of a cron line are looked at: with the finest grain, three days.
LOOKED_AT = 300
LONGEST = timedelta(days=366)
# Digits, ranges, steps and names of days and months; no R or H, croniter's words for a time that nobody knows before.
_FIELDS = re.compile(
    r"[0-9*,/?#-]*(?:(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|l)[0-9*,/?#-]*)*",
    re.I,
)


def cron_of(schedule: str | None, grain: Grain, zone: tzinfo = UTC) -> str:
    """A table's cron line. Raises UsageError for what is none, for one that no date ever meets, or for one that runs
    twice in a period.

    A run's ds is the newest period that is over when it begins, so that each period has one run at most.
    """
    if schedule is None:
        return DEFAULT_CRON[grain]
    fields = schedule.split()
    if len(fields) != 5 or not all(_FIELDS.fullmatch(each) for each in fields) or not croniter.is_valid(schedule):
        raise UsageError(f"schedule: {schedule!r} is no cron line of five fields: write it as {DEFAULT_CRON[grain]!r}")
    before = ""
    for run in _runs(schedule, zone):
        ds = last_complete(run, grain, zone)
        if ds == before:
            raise UsageError(
                f"schedule: {schedule!r} runs more than once for {ds}, and a table of grain {grain.value} has one "
                f"slice a {grain.value}: write one run a period, such as {DEFAULT_CRON[grain]!r}, or a finer grain"
            )
        before = ds
    return schedule


def duration_of(text: object, key: str) -> timedelta:
    """A duration as YAML says it: 6h, 90m, 1h30m. Raises UsageError that names the key."""
    seconds = timeparse(text) if isinstance(text, str) else None
    if seconds is None or seconds <= 0:
        raise UsageError(f"{key}: {text!r} is no duration: write it as 6h, 90m or 1h30m")
    if seconds > LONGEST.total_seconds():
        raise UsageError(f"{key}: {text!r} is more than a year: write a duration such as 6h or 3 days")
    return timedelta(seconds=seconds)


@lru_cache(maxsize=1024)
def late_after_of(text: str, cron: str, grain: Grain, zone: tzinfo = UTC) -> timedelta:
    """When a slice is late, after its period's end. Raises UsageError where it would be before its run has begun."""
    late = duration_of(text, "late_after")
    for run in _runs(cron, zone):
        begins = run - bounds(last_complete(run, grain, zone), zone)[1]
        if late <= begins:
            raise UsageError(
                f"late_after: {text!r} after the period's end is over before its run begins ({cron!r}, "
                f"{begins} after the end): every slice would be late, so write a longer one"
            )
    return late


@lru_cache(maxsize=64)
def shortest_period(grain: Grain, zone: tzinfo = UTC, year: int | None = None) -> timedelta:
    """The shortest period of a year and the next one: the day on which the clock is put forward, in most zones."""
    first = year or datetime.now(UTC).year
    days = (day for day in span(f"{first}-01-01", f"{first + 1}-12-31") if _length(day, zone) != Grain.DAY.length)
    lengths = [_length(ds, zone) for day in days for ds in cover(day, grain)]
    return min([grain.length, *(each for each in lengths if each)])


def _length(ds: str, zone: tzinfo) -> timedelta:
    start, end = bounds(ds, zone)
    return end - start


def late_at(ds: str, late_after: str, zone: tzinfo = UTC) -> datetime:
    """The instant at which a slice is late."""
    return bounds(ds, zone)[1] + duration_of(late_after, "late_after")


def _runs(cron: str, zone: tzinfo) -> Iterator[datetime]:
    # Any whole days do for a cron line; a winter's, where no clock changes.
    runs = croniter(cron, datetime(2018, 1, 1, tzinfo=zone))
    try:
        for _ in range(LOOKED_AT):
            yield runs.get_next(datetime)
    except CroniterError:
        raise UsageError(f"schedule: {cron!r} never comes: there is no such date") from None
