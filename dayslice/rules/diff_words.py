"""What a person asks of `dayslice diff`: two versions of a slice, two slices, two targets, and when to fail. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dayslice.errors import UsageError
from dayslice.rules.calendar import grain_of, span
from dayslice.rules.slices import Version

_TARGETS = re.compile(r"([A-Za-z_]\w*):([A-Za-z_]\w*)")
_CONDITION = re.compile(r"\s*(added|removed|changed|rows)\s*>\s*(\d+(?:\.\d+)?)\s*(%?)\s*")
_TOLERANCE = re.compile(r"(\d+(?:\.\d+)?(?:[eE]-?\d+)?)(%?)")
BEFORE = "before"


@dataclass(frozen=True)
class Side:
    """One of the two: slices of a target (None: the command's), and which version of each (None: the published)."""

    slices: tuple[str, ...]
    version: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Tolerance:
    """By how much two numbers may differ and be the same: an amount, or a share of the larger one."""

    amount: float
    is_share: bool


@dataclass(frozen=True)
class Condition:
    """`changed > 1%`: more than so many rows, or than this share of the rows on the left."""

    text: str
    counted: str
    limit: float
    is_share: bool

    def holds(self, counts: Mapping[str, int]) -> bool:
        """Whether it is true of what was counted: `added`, `removed`, `changed`, and `left`, the rows there were."""
        found = sum(counts[each] for each in ("added", "removed", "changed") if self.counted in (each, "rows"))
        return found > (counts["left"] * self.limit / 100 if self.is_share else self.limit)


def sides(first: str, second: str | None) -> tuple[Side, Side]:
    """The two sides of `DS1 DS2`, `DS@v1 DS@v2`, `DS staging:production`, `DS`; also of a range, `DS1..DS2`."""
    left = _side(first)
    if second is None:
        if left.version is not None:
            raise UsageError(f"{first}: say with what to compare it, as in {left.slices[0]}@v1 {left.slices[0]}@v2")
        return Side(left.slices, BEFORE), left
    if targets := _TARGETS.fullmatch(second):
        return Side(left.slices, left.version, targets[1]), Side(left.slices, left.version, targets[2])
    right = _side(second)
    if len(left.slices) != len(right.slices):
        raise UsageError(f"{first} and {second} are {len(left.slices)} and {len(right.slices)} slices: compare as many")
    return left, right


def _side(word: str) -> Side:
    label, _, version = word.partition("@")
    first, dots, last = label.partition("..")
    grain_of(first)
    slices = span(first, last) if dots else [first]
    if not slices:
        raise UsageError(f"{word}: {first} is after {last}")
    if "@" in word and not version:
        raise UsageError(f"{word}: no version is named: write {label}@v1, as dayslice history lists them")
    return Side(tuple(slices), version or None)


def chosen(versions: Sequence[Version], published: Version | None, wanted: str | None) -> Version | None:
    """The version that is meant among the kept ones: by its number (`v2`), how its id begins, BEFORE, or published.

    None where there is none. Raises UsageError where several begin so.
    """
    if wanted is None:
        return published
    if wanted == BEFORE:
        earlier = [each for each in versions if published is not None and each.age < published.age]
        return max(earlier, key=lambda each: each.age, default=None)
    number = re.fullmatch(r"v?(\d{1,6})", wanted)
    named = [e for e in versions if (e.sequence == int(number[1]) if number else e.id.startswith(wanted))]
    if len(named) > 1:
        raise UsageError(f"{len(named)} versions begin with {wanted!r}: {', '.join(each.id for each in named)}")
    return named[0] if named else None


def tolerance_of(text: str | None) -> Tolerance | None:
    """`0.01` or `1%`."""
    if text is None:
        return None
    found = _TOLERANCE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--tolerance {text}: write an amount or a share: 0.01 or 1%")
    return Tolerance(float(found[1]) / (100 if found[2] else 1), bool(found[2]))


def condition_of(text: str) -> Condition:
    """`changed > 1%`, `removed > 0`."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--fail-if {text!r}: write added, removed, changed or rows (all three), and a number: 'changed > 1%'"
        )
    return Condition(" ".join(text.split()), found[1], float(found[2]), bool(found[3]))
