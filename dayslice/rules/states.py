"""How each slice of a table stands against what is expected of it by now. Pure.

A table's runs are its schedule's: each makes the newest period that is over when it begins, so a weekly schedule
expects one ds a week.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import Enum
from functools import lru_cache

from croniter import croniter

from dayslice.rules.calendar import Grain, bounds, last_complete, span
from dayslice.rules.graph import TableNode
from dayslice.rules.retention import Policy
from dayslice.rules.schedules import cron_of, duration_of
from dayslice.rules.slices import Version

# A schedule of its own is looked at run by run, so not into a past that nobody looks at.
LOOK_BACK = 400


class State(Enum):
    """What a slice is: there in one way or another, or not there for one reason or another."""

    PUBLISHED = "published"
    """It is there, and is what would be made now, as far as its receipt says."""
    STALE = "stale"
    """It is published, and something that it was made of or by is another one now."""
    EMPTY = "empty"
    """It is published, and has no rows."""
    MISSING = "missing"
    """A gap: a later slice is there, and this one was expected."""
    LATE = "late"
    """Nothing later is there, and it should be: its `late_after` is past, or without one, the next slice is due too."""
    DUE = "due"
    """Its run should have begun; it is not late yet."""
    NOT_DUE = "not due"
    """Its run is still to come."""
    REFUSED = "refused"
    """It should be there, or will have to be; its last try was refused, and says why."""
    EXPIRED = "expired"
    """Retention let it go."""

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look at it."""
        return self in (State.MISSING, State.LATE, State.REFUSED)

    @property
    def letter(self) -> str:
        """What stands for it where there is room for one letter."""
        return "X" if self is State.EXPIRED else self.value[0].upper()


_NOT_WANTED = (State.NOT_DUE, State.EXPIRED)


@dataclass(frozen=True)
class Expected:
    """The slices that a table's schedule asks for, oldest first; `late`: of those after the last one that is there."""

    newest: str
    """The newest ds whose run should have begun."""
    slices: tuple[str, ...]
    late: tuple[str, ...]


def expected_of(
    node: TableNode, stands: Collection[str], now: datetime, zone: tzinfo, since: str | None = None
) -> Expected:
    """What is expected of a table by now, from its start or its earliest slice on, or from `since` if that is later.

    Nothing is after the table's end.
    """
    schedule, grain = node.settings.schedule, node.settings.grain
    made = _made(schedule, grain, now, zone, LOOK_BACK if schedule else 1)
    newest = min(made[-1], node.settings.end or made[-1])
    first = max(node.settings.start or min(stands, default=newest), since or "")
    slices = made[bisect_left(made, first) : bisect_right(made, newest)] if schedule else _span(first, newest, zone)
    is_ended = newest < made[-1]
    late = _late(slices, max(stands, default=""), node.settings.late_after, is_ended, now, zone)
    return Expected(newest, slices, late)


# Many tables begin, end, and are late with the same ds: their answers are kept.
@lru_cache(maxsize=32)
def _late(
    slices: tuple[str, ...], last: str, late_after: str | None, is_ended: bool, now: datetime, zone: tzinfo
) -> tuple[str, ...]:
    """Those that are late, of the slices after the last one that is there ("" for none).

    `is_ended`: the last of them is the table's last, and the next one would be due by now.
    """
    behind = slices[bisect_right(slices, last) :]
    if late_after is None:
        return behind if is_ended else tuple(ds for ds in behind if ds != slices[-1])
    after = duration_of(late_after, "late_after")
    return tuple(ds for ds in behind if now >= bounds(ds, zone)[1] + after)


def state_of(
    node: TableNode, ds: str, stands: Collection[str], expected: Expected, expired: Collection[str] = ()
) -> State | None:
    """The state of a slice that is not published; None for one that nobody expects."""
    if ds in expired:
        return State.EXPIRED
    if node.settings.end and ds > node.settings.end:
        return None
    if ds > expected.newest:
        return State.NOT_DUE
    if not _holds(expected.slices, ds):
        return None
    if stands and ds < max(stands):
        return State.MISSING
    return State.LATE if _holds(expected.late, ds) else State.DUE


def states_of(
    node: TableNode,
    slices: Sequence[str],
    versions: Mapping[str, Version],
    stands: Collection[str],
    now: datetime,
    zone: tzinfo,
    stale: Collection[str] = (),
    refused: Collection[str] = (),
) -> dict[str, State]:
    """The state of each of these slices that is there or that anybody expects, oldest first.

    `versions`: what is published of them; `stands`: every ds of the table that is. `stale`, `refused`: those of which
    receipts, and what dead tries left, say so.
    """
    there = set(stands)
    lacking = [ds for ds in slices if ds not in there]
    start = node.settings.start or min(there, default=None)
    found: dict[str, State] = {}
    if lacking and start is not None:
        expected = expected_of(node, stands, now, zone, min(lacking))
        expired = let_go(node, lacking, stands)
        newest = [max(there)] if there else []
        for ds in lacking:
            state = state_of(node, ds, newest, expected, expired) if ds >= start else None
            if state is not None:
                found[ds] = State.REFUSED if ds in refused and state not in _NOT_WANTED else state
    for ds, version in versions.items():
        found[ds] = State.STALE if ds in stale else State.PUBLISHED if version.receipt.rows else State.EMPTY
    return {ds: found[ds] for ds in slices if ds in found}


def problems_of(
    node: TableNode, stands: Collection[str], now: datetime, zone: tzinfo, refused: Collection[str] = ()
) -> Mapping[State, list[str]]:
    """All that is wrong with a table: the slices that are missing, late, or refused though they should be there."""
    if not stands and node.settings.start is None:
        return {}  # never made: nobody said from when on it should be
    last = max(stands, default="")
    expected = expected_of(node, stands, now, zone, last if _is_whole(node, stands) else None)
    there = set(stands)
    lacking = [ds for ds in expected.slices[: bisect_left(expected.slices, last)] if ds not in there]
    behind = expected.slices[bisect_right(expected.slices, last) :]
    expired = let_go(node, lacking, stands)
    tried = set(refused)
    found = {
        State.MISSING: [ds for ds in lacking if ds not in expired and ds not in tried],
        State.LATE: [ds for ds in expected.late if ds not in tried] if tried else list(expected.late),
        State.REFUSED: [ds for ds in (*lacking, *behind) if ds in tried and ds not in expired] if tried else [],
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
    return tuple(span(first, last, zone))


def _is_whole(node: TableNode, stands: Collection[str]) -> bool:
    """Whether a table of days has no gap. Counted: of ten years a day each, there are a thousand tables."""
    if not stands or node.settings.grain is not Grain.DAY:
        return False
    first, last = node.settings.start or min(stands), max(stands)
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return days == sum(first <= ds for ds in stands)


def _holds(ordered: Sequence[str], ds: str) -> bool:
    at = bisect_left(ordered, ds)
    return at < len(ordered) and ordered[at] == ds


@lru_cache(maxsize=256)
def _made(schedule: str | None, grain: Grain, now: datetime, zone: tzinfo, count: int) -> tuple[str, ...]:
    """The slices of the last so many runs that should have begun, oldest first."""
    runs = croniter(cron_of(schedule, grain, zone), now.astimezone(zone))
    return tuple(sorted({last_complete(runs.get_prev(datetime), grain, zone) for _ in range(count)}))
