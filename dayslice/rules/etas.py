"""When a slice is usually there, by when earlier ones were published for the first time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import median

from dayslice.rules.calendar import bounds
from dayslice.rules.moments import moment

# What was published later than this after its period was made by a backfill: it says nothing of a day's run.
_BY_ITS_RUN = timedelta(days=7)
# Of fewer slices of the same weekday, all weekdays say more.
_ENOUGH = 3


@dataclass(frozen=True)
class Eta:
    """When a slice is usually there: the median, and what nine of ten keep. `of`: how many slices say so."""

    median: datetime
    p90: datetime
    of: int
    same_weekday: bool


def eta(first_published: Mapping[str, str], ds: str, zone: tzinfo = UTC) -> Eta | None:
    """The usual time of a ds, by the first publications of others of its table; None where there are none."""
    lags: dict[str, float] = {}
    for each, text in first_published.items():
        at = moment(text)
        if at is not None and each != ds:
            lag = at - bounds(each, zone)[1]
            if timedelta() <= lag <= _BY_ITS_RUN:
                lags[each] = lag.total_seconds()
    same = [lag for each, lag in lags.items() if _weekday(each) == _weekday(ds)]
    found = sorted(same if len(same) >= _ENOUGH else lags.values())
    if not found:
        return None
    end = bounds(ds, zone)[1]
    late = found[min(len(found) - 1, round(0.9 * (len(found) - 1) + 0.499))]
    return Eta(end + timedelta(seconds=median(found)), end + timedelta(seconds=late), len(found), len(same) >= _ENOUGH)


def _weekday(ds: str) -> int:
    return date.fromisoformat(ds[:10]).weekday()
