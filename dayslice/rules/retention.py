"""Retention policies: which slices and versions of a table may go. Pure."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dayslice.errors import UsageError
from dayslice.rules.slices import Version
from dayslice.rules.waits import Wait

KEEP_VERSIONS = 3
_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}
_PERIOD: dict[str, Callable[[str], str]] = {
    "daily": lambda ds: ds[:10],
    "weekly": lambda ds: "{}-{}".format(*date.fromisoformat(ds[:10]).isocalendar()[:2]),
    "monthly": lambda ds: ds[:7],
    "yearly": lambda ds: ds[:4],
}
_EXAMPLES = "'90 days', 'keep monthly' or 'keep 3 versions'"


@dataclass(frozen=True)
class Policy:
    """Slices of the last `days` are kept, and the last one of each period of `each`; `versions` of each slice.

    With neither days nor periods, all slices are kept. Days count back from the table's newest slice, not from today:
    a table whose source stands still loses nothing.
    """

    days: int | None = None
    each: tuple[str, ...] = ()
    versions: int = KEEP_VERSIONS

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Policy":
        """From a table's `retention`; what one of several keeps is kept. Raises UsageError."""
        days: int | None = None
        each: list[str] = []
        versions = KEEP_VERSIONS
        for text in texts:
            words = text.strip().lower()
            if found := re.fullmatch(r"(\d+) (day|week|month|year)s?", words):
                days = max(days or 0, int(found[1]) * _DAYS[found[2]])
            elif (found := re.fullmatch(r"keep (\w+)", words)) and found[1] in _PERIOD:
                each.append(found[1])
            elif (found := re.fullmatch(r"keep (\d+) versions?", words)) and int(found[1]) > 0:
                versions = int(found[1])
            else:
                raise UsageError(f"retention: {text!r} is not known: write {_EXAMPLES}")
        return cls(days, tuple(each), versions)

    def expired(self, published: Collection[str], needed: Collection[str] = ()) -> list[str]:
        """The slices that may go, oldest first. The newest never may, nor one that is `needed`."""
        if not published or (self.days is None and not self.each):
            return []
        newest = max(published)
        kept = {newest, *needed}
        if self.days is not None:
            first = (date.fromisoformat(newest[:10]) - timedelta(days=self.days - 1)).isoformat()
            kept.update(ds for ds in published if ds >= first)
        for period in self.each:
            last_of = {_PERIOD[period](ds): ds for ds in sorted(published)}
            kept.update(last_of.values())
        return sorted(set(published) - kept)

    def surplus(self, versions: Sequence[Version], published: Version | None) -> list[Version]:
        """The versions of one slice that may go: all but the newest few, and never the published one."""
        newest_first = sorted(versions, key=lambda version: version.age, reverse=True)
        others = [each for each in newest_first if published is None or each.id != published.id]
        return others[max(self.versions - 1, 0) :]


@dataclass(frozen=True)
class Reader:
    """A table that waits for another: how, which of its slices are published, and which could be computed next."""

    wait: Wait
    published: Collection[str]
    could_be: Sequence[str]


def needed_by(readers: Collection[Reader], reads_of: Callable[[Wait, str], list[str]]) -> set[str]:
    """The slices that are still to be read: by slices of the readers that are not published yet."""
    return {
        ds
        for reader in readers
        for own in reader.could_be
        if own not in reader.published
        for ds in reads_of(reader.wait, own)
    }
