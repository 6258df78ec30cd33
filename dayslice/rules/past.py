"""Which version of a slice was published at a moment that is past, by what is kept of it. Pure.

A receipt says when its version was published, and its number says in which order. A version that was let go leaves no
trace but its number, and a rollback none at all but that a version is published that is not the newest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from dayslice.errors import UsageError
from dayslice.rules.moments import moment


@dataclass(frozen=True)
class Kept:
    """A kept version of a slice, as far as the past asks. `first`: when its slice was published for the first time."""

    id: str
    number: int
    finished: str
    first: str = ""
    is_published: bool = False


@dataclass(frozen=True)
class Then:
    """What was published of a slice. None: nothing yet; or, where it `is_lost`, something that is not kept any more.

    `since`: from when on it is known what was published; '' for ever since its first version.
    """

    id: str | None
    is_lost: bool = False
    since: str = ""
    was_rolled_back: bool = False


def then_published(kept: Sequence[Kept], at: datetime, is_numbered_closely: bool = True) -> Then:
    """What was published of a slice at a moment. `is_numbered_closely`: a number that is not there is of a version.

    Of a slice that was rolled back nobody knows when: from its newest version on it is what is published now.
    """
    versions = sorted(kept, key=lambda each: each.number)
    oldest, newest = versions[0], versions[-1]
    since = _known_since(versions, is_numbered_closely)
    published = next((each for each in versions if each.is_published), newest)
    if published is not newest and _is_past(newest.finished, at):
        return Then(published.id, since=since, was_rolled_back=True)
    earlier = [n for n, each in enumerate(versions) if _is_past(each.finished, at)]
    if not earlier:
        was_there = _is_past(oldest.first, at) if oldest.first else oldest.number > 1
        return Then(None, is_lost=was_there, since=since)
    n = earlier[-1]
    after = versions[n + 1] if n + 1 < len(versions) else None
    is_lost = is_numbered_closely and after is not None and after.number - versions[n].number > 1
    return Then(None if is_lost else versions[n].id, is_lost, since)


def moment_of(text: str, zone: tzinfo, now: datetime) -> datetime:
    """A moment as a person writes it: `2018-03-03 09:00`, in the project's time zone unless it says another.

    Raises UsageError for what is no moment, or is still to come.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is no moment: write it as in '2018-03-03 09:00'") from None
    found = found if found.tzinfo else found.replace(tzinfo=zone)
    if found > now:
        raise UsageError(f"{text} is still to come: without --as-of you read what is published now")
    return found


def _known_since(versions: Sequence[Kept], is_numbered_closely: bool) -> str:
    for before, after in reversed(list(pairwise(versions))):
        if is_numbered_closely and after.number - before.number > 1:
            return after.finished
    oldest = versions[0]
    is_first = oldest.first == oldest.finished if oldest.first else oldest.number <= 1
    return "" if is_first else oldest.finished


def _is_past(text: str, at: datetime) -> bool:
    found = moment(text)
    return found is not None and found <= at
