"""When a table's run begins, and when it is late: cron lines and durations, checked against the grain. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo

from croniter import croniter
from pytimeparse.timeparse import timeparse

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, containing

# Soon after a period is over: late enough for a source's last commits, and not on the minute when all else starts.
DEFAULT_CRON = {Grain.DAY: "30 0 * * *", Grain.HOUR: "5 * * * *", Grain.QUARTER_HOUR: "2-59/15 * * * *"}
# How many runs of a cron line are looked at: with the finest grain, three days.
LOOKED_AT = 300


def cron_of(schedule: str | None, grain: Grain, zone: tzinfo = UTC) -> str:
    """A table's cron line. Raises UsageError for what is none, or for one that runs twice in a period.

    A run's ds is the period in which its data interval begins, so that each period has one run at most.
    """
    if schedule is None:
        return DEFAULT_CRON[grain]
    if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
        raise UsageError(f"schedule: {schedule!r} is no cron line of five fields: write it as {DEFAULT_CRON[grain]!r}")
    # Any whole days do for a cron line; a winter's, where no clock changes.
    runs = croniter(schedule, datetime(2018, 1, 1, tzinfo=zone))
    before = ""
    for _ in range(LOOKED_AT):
        ds = containing(runs.get_next(datetime), grain)
        if ds == before:
            raise UsageError(
                f"schedule: {schedule!r} runs more than once in {ds}, and a table of grain {grain.value} has one slice "
                f"a {grain.value}: write one run a period, such as {DEFAULT_CRON[grain]!r}, or a finer grain"
            )
        before = ds
    return schedule


def duration_of(text: object, key: str) -> timedelta:
    """A duration as YAML says it: 6h, 90m, 1h30m. Raises UsageError that names the key."""
    seconds = timeparse(text) if isinstance(text, str) else None
    if seconds is None or seconds <= 0:
        raise UsageError(f"{key}: {text!r} is no duration: write it as 6h, 90m or 1h30m")
    return timedelta(seconds=seconds)


def offset_in_period(cron: str) -> timedelta:
    """How long after a period's start a cron line's run has its logical date (of the first period that has one)."""
    start = datetime(2018, 1, 1, tzinfo=UTC)
    first: datetime = croniter(cron, start - timedelta(seconds=1)).get_next(datetime)
    return (first - start) % timedelta(days=1)
