"""How each slice of a table stands against what is expected of it by now. Pure.

A table's runs are its schedule's: each makes the newest period that is over when it begins, so a weekly schedule
expects one ds a week.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import Enum
from functools import lru_cache

from croniter import croniter

from dayslice.rules.calendar import Grain, bounds, last_complete, span
from dayslice.rules.graph import TableNode
from dayslice.rules.retention import Policy
from dayslice.rules.schedules import cron_of, duration_of

# A schedule of its own is looked at run by run, so not into a past that nobody looks at.
LOOK_BACK = 400


class State(Enum):
    """What a slice is that is not simply there."""

    MISSING = "missing"
    """A gap: a later slice is there, and this one was expected."""
    LATE = "late"
    """Nothing later is there, and it should be: its `late_after` is past, or without one, the next slice is due too."""
    DUE = "due"
    """Its run should have begun; it is not late yet."""
    NOT_DUE = "not due"
    """Its run is still to come."""
    EXPIRED = "expired"
    """Retention let it go."""
    EMPTY = "empty"
    """It is published, and has no rows."""

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look at it."""
        return self in (State.MISSING, State.LATE)


@dataclass(frozen=True)
class Expected:
    """The slices that a table's schedule asks for, and from when on each is late."""

    newest: str
    """The newest ds whose run should have begun."""
    slices: tuple[str, ...]
    late: frozenset[str]


def expected_of(
    node: TableNode, stands: Collection[str], now: datetime, zone: tzinfo, since: str | None = None
) -> Expected:
    """What is expected of a table by now, from its start or its earliest slice on, or from `since` if that is later."""
    settings = node.settings
    cron = cron_of(settings.schedule, settings.grain, zone)
    runs = _runs_before(cron, now, zone, LOOK_BACK if settings.schedule else 1)
    newest = last_complete(runs[0], settings.grain, zone)
    first = max(settings.start or min(stands, default=newest), since or "")
    if settings.schedule:
        slices = sorted({ds for ds in (last_complete(run, settings.grain, zone) for run in runs) if ds >= first})
    else:
        slices = list(_span(first, newest, zone)) if first <= newest else []
    if settings.late_after is None:
        late = slices[:-1]
    else:
        after = duration_of(settings.late_after, "late_after")
        behind = [ds for ds in slices if ds > max(stands, default="")]
        late = [ds for ds in behind if now >= bounds(ds, zone)[1] + after]
    return Expected(newest, tuple(slices), frozenset(late))


def state_of(
    node: TableNode, ds: str, stands: Collection[str], expected: Expected, expired: Collection[str] = ()
) -> State | None:
    """The state of a slice that is not published; None for one that nobody expects."""
    if ds in expired:
        return State.EXPIRED
    if ds > expected.newest:
        return State.NOT_DUE
    at = bisect_left(expected.slices, ds)
    if expected.slices[at : at + 1] != (ds,):
        return None
    if stands and ds < max(stands):
        return State.MISSING
    return State.LATE if ds in expected.late else State.DUE


def problems_of(node: TableNode, stands: Collection[str], now: datetime, zone: tzinfo) -> Mapping[State, list[str]]:
    """All that is wrong with a table: the slices that are missing, and those that are late."""
    if not stands and node.settings.start is None:
        return {}  # never made: nobody said from when on it should be
    expected = expected_of(node, stands, now, zone, max(stands) if _is_whole(node, stands) else None)
    there = set(stands)
    lacking = [ds for ds in expected.slices if ds not in there]
    # As `state_of`, in bulk: a table that stopped years ago lacks thousands.
    at = bisect_left(lacking, max(stands, default=""))
    expired = let_go(node, lacking[:at], stands)
    found = {
        State.MISSING: [ds for ds in lacking[:at] if ds not in expired],
        State.LATE: [ds for ds in lacking[at:] if ds in expected.late],
    }
    return {state: slices for state, slices in found.items() if slices}


def let_go(node: TableNode, lacking: Iterable[str], stands: Collection[str]) -> set[str]:
    """Those of the slices that are not there that retention would not keep either."""
    last = max(stands, default="")
    older = {ds for ds in lacking if ds < last}
    policy = Policy.parse(node.settings.retention)
    return older & set(policy.expired({*older, *stands})) if older else set()


@lru_cache(maxsize=32)
def _span(first: str, last: str, zone: tzinfo) -> tuple[str, ...]:
    """Many tables begin and end with the same ds."""
    return tuple(span(first, last, zone))


def _is_whole(node: TableNode, stands: Collection[str]) -> bool:
    """Whether a table of days has no gap. Counted: of ten years a day each, there are a thousand tables."""
    if not stands or node.settings.grain is not Grain.DAY:
        return False
    first, last = node.settings.start or min(stands), max(stands)
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return days == sum(first <= ds for ds in stands)


def _runs_before(cron: str, now: datetime, zone: tzinfo, count: int) -> list[datetime]:
    """The last runs that should have begun, newest first."""
    runs = croniter(cron, now.astimezone(zone))
    return [runs.get_prev(datetime) for _ in range(count)]
