"""Moments as receipts write them (ISO 8601), and how far they lie apart. Pure."""

from datetime import UTC, datetime


def moment(text: str) -> datetime | None:
    """A receipt's time; None where it has none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds_between(first: str, last: str) -> float | None:
    """From one receipt's time to another; None where one of them is not known."""
    begin, end = moment(first), moment(last)
    return (end - begin).total_seconds() if begin and end else None


def duration(seconds: float) -> str:
    """For people: `0.4 s`, `12 s`, `3 min`, `2.5 h`, `4 days`, `12.9 years`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    days = seconds / 86_400
    if days < 3:
        return f"{seconds / 3600:.1f} h"
    return f"{days:.0f} days" if days < 730 else f"{days / 365.25:.1f} years"


def size(count: int) -> str:
    """Bytes for people: `900 B`, `1.2 MB`."""
    for unit, number in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= number:
            return f"{count / number:.1f} {unit}"
    return f"{count} B"
