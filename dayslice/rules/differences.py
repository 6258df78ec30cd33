"""What became of a slice's rows between two versions, and why. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from dayslice.rules.receipts import LOGIC, fingerprint_of, inputs_of
from dayslice.rules.slices import Slice, Version

ADDED, REMOVED, RETYPED = "added", "removed", "retyped"


@dataclass(frozen=True)
class SchemaChange:
    """A column that is on one side only, or of two types. `what`: added, removed, retyped."""

    column: str
    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if self.what == RETYPED:
            return f"{self.column} {self.before} -> {self.after}"
        return f"+{self.column} {self.after}" if self.what == ADDED else f"-{self.column} {self.before}"


@dataclass(frozen=True)
class Drift:
    """What can be said of a column's values on one side."""

    nulls: int
    distinct: int | None
    least: str | None
    greatest: str | None
    mean: float | None


@dataclass(frozen=True)
class ColumnChange:
    """A column whose values differ: in how many rows (None without a key), and its drift."""

    column: str
    rows: int | None
    before: Drift
    after: Drift


@dataclass(frozen=True)
class Difference:
    """Two versions compared. `left` and `right` are their rows; without a key no row is `changed`."""

    ds: str
    before: str
    after: str
    left: int
    right: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    key: tuple[str, ...] = ()
    schema: tuple[SchemaChange, ...] = ()
    columns: tuple[ColumnChange, ...] = ()
    reasons: tuple[str, ...] = ()
    samples: tuple[tuple[Any, ...], ...] = ()
    is_known_equal: bool = False
    """Equal fingerprints said so: no row was read."""

    @property
    def counts(self) -> dict[str, int]:
        """For `--fail-if`."""
        return {"added": self.added, "removed": self.removed, "changed": self.changed, "left": self.left}

    @property
    def is_equal(self) -> bool:
        """Whether rows and columns are the same."""
        return not (self.added or self.removed or self.changed or self.schema)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "equal": self.is_equal}


@dataclass
class Sum:
    """Differences of a range of ds, summed up."""

    of: list[Difference] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Of all of them."""
        return {name: sum(each.counts[name] for each in self.of) for name in ("added", "removed", "changed", "left")}


def schema_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[SchemaChange, ...]:
    """Columns apart: by name in lower case, with their types as the engine says them."""
    found = [SchemaChange(name, REMOVED, type) for name, type in before.items() if name not in after]
    found += [SchemaChange(name, ADDED, "", type) for name, type in after.items() if name not in before]
    both = [name for name in before if name in after and before[name].lower() != after[name].lower()]
    return (*found, *(SchemaChange(name, RETYPED, before[name], after[name]) for name in both))


def are_known_equal(before: Version, after: Version) -> bool:
    """Whether their fingerprints say that rows and columns are the same; files that are the same are."""
    if before.id == after.id:
        return True
    first, second = fingerprint_of(before.receipt), fingerprint_of(after.receipt)
    if first is None or second is None:
        return False
    same_columns = before.receipt.more.get("columns") == after.receipt.more.get("columns")
    return same_columns and before.receipt.rows == after.receipt.rows and first == second


def reasons(
    before: Version, after: Version, name_of: Callable[[Slice], str], number_of: Callable[[Slice, str], str]
) -> tuple[str, ...]:
    """Why two versions may differ, by their receipts: their logic, and the inputs that are others. Of two ds, whose
    inputs are others by their nature, those of tables that only one of them reads, and those that both read.

    `name_of` a slice as people call it; `number_of` a version of an input: its number, or its id.
    """
    logic = [each.receipt.more.get(LOGIC) for each in (before, after)]
    found = ["logic unknown" if None in logic else "logic the same" if logic[0] == logic[1] else "logic changed"]
    inputs = [inputs_of(each.receipt) for each in (before, after)]
    if inputs[0] is None or inputs[1] is None:
        return () if "source_snapshot" in after.receipt.more else (found[0], "inputs unknown")
    first, second = inputs[0], inputs[1]
    are_of_two_ds = before.slice.ds != after.slice.ds
    of_both = {each.table for each in first} & {each.table for each in second} if are_of_two_ds else set()
    changed = []
    for slice in dict.fromkeys([*first, *second]):
        old, new = first.get(slice), second.get(slice)
        if old is None or new is None:
            if slice.table in of_both:
                continue
            changed.append(f"{name_of(slice)} {'no more' if new is None else 'now too'}")
        elif old.version != new.version:
            same = ", the same content" if old.digest and old.digest == new.digest else ""
            steps = f"{number_of(slice, old.version)} -> {number_of(slice, new.version)}"
            changed.append(f"{name_of(slice)} {steps}{same}")
    return (*found, *(changed or ["each has the inputs of its ds" if are_of_two_ds else "inputs the same"]))


def share(part: int, whole: int) -> str:
    """`4.0 %`; of nothing, how many."""
    return f"{part / whole:.1%}".replace("%", " %") if whole else f"{part:,}"


def sentence(difference: Difference) -> str:
    """The one that is said first."""
    if difference.is_equal:
        how = "by their fingerprints" if difference.is_known_equal else "row by row"
        said = f"the same, {how}"
    elif difference.key:
        said = f"{share(difference.changed, difference.left)} of rows changed"
        parts = [f"{n:,} {word}" for word, n in (("added", difference.added), ("removed", difference.removed)) if n]
        said = ", ".join([said, *parts])
    else:
        rows = f"{difference.added:,} rows added, {difference.removed:,} removed"
        said = f"{rows} (no key, so a changed row is both)"
    return "; ".join([said, *difference.reasons])


def key_words(key: Sequence[str]) -> str:
    """The key in a heading."""
    return f"key {', '.join(key)}" if key else "no key"
