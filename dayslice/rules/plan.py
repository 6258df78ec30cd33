"""What a run over (table, ds) has to do, in order. Pure: it is told what is published and asks nobody.

A step is one ds: its imports, then its models in one dbt build. Steps go by the end of their period, so that an
hourly slice is there before the day that reads it, and a table's own previous slice before the next. What follows
tables of slices is made with their ds, or once at the end.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, bounds, cover, grain_of, shift, span
from dayslice.rules.followers import Follower, made_with
from dayslice.rules.graph import TableNode
from dayslice.rules.reasons import DOWNSTREAM, FORCED, MISSING
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Table
from dayslice.rules.stale import Key, made_stale


@dataclass(frozen=True)
class Step:
    """One ds of a plan: the imports and the models that are to be made for it, upstream first."""

    ds: str
    imports: tuple[TableNode, ...] = ()
    models: tuple[TableNode, ...] = ()
    followers: tuple[Follower, ...] = ()

    @property
    def size(self) -> int:
        """How many slices it makes."""
        return len(self.imports) + len(self.models)

    @property
    def tables(self) -> list[str]:
        """The unique_ids of the tables whose slices it makes."""
        return [node.unique_id for node in (*self.imports, *self.models)]


@dataclass(frozen=True)
class Plan:
    """The steps, how many slices stand already, and those that cannot be made any more."""

    steps: tuple[Step, ...]
    done: int = 0
    lost: tuple[tuple[TableNode, str], ...] = ()
    """Missing slices of cumulative imports: a snapshot of then cannot be taken now."""
    early: tuple[tuple[TableNode, str], ...] = ()
    """Slices whose period is not over."""
    reasons: Mapping[Key, str] = field(default_factory=dict)
    """Why each slice is made: see `dayslice.rules.reasons`."""
    left: Mapping[Key, Key] = field(default_factory=dict)
    """Slices that will stand on something older than what is made, and that are not made again; each with that."""
    stale: Mapping[Key, str] = field(default_factory=dict)
    """Slices of the range that stand, and are not what would be made now; not made again, each with the reason."""
    blocked: Mapping[Key, str] = field(default_factory=dict)
    """Slices that wait for one that neither stands nor is made: blocked by it, or expired upstream."""

    @property
    def size(self) -> int:
        """How many slices are to be made."""
        return sum(step.size for step in self.steps)

    @property
    def total(self) -> int:
        """How many slices and followers are to be made."""
        return self.size + sum(len(step.followers) for step in self.steps)

    @property
    def followers(self) -> tuple[Follower, ...]:
        """What is made after tables of slices, each once, though it may be made for several ds."""
        return tuple(dict.fromkeys(each for step in self.steps for each in step.followers))

    def without_blocked(self) -> "Plan":
        """This plan less the slices that cannot be made; they stay in `blocked`."""
        steps = [
            replace(
                step,
                imports=tuple(node for node in step.imports if (node.unique_id, step.ds) not in self.blocked),
                models=tuple(node for node in step.models if (node.unique_id, step.ds) not in self.blocked),
            )
            for step in self.steps
        ]
        reasons = {key: reason for key, reason in self.reasons.items() if key not in self.blocked}
        return replace(self, steps=tuple(step for step in steps if step.size or step.followers), reasons=reasons)

    def followed_by(
        self,
        followers: Collection[Follower],
        only_ds: str | None = None,
        old: Mapping[Follower, Sequence[str]] | None = None,
    ) -> "Plan":
        """This plan, with those followers that read what it makes: with each ds, or last, once.

        `only_ds`: all of them, as a person asks for what reads this ds, the only one of the plan. `old`: those that
        have not seen what stands, with the ds that they lack.
        """
        old = old or {}
        with_ds = [each for each in followers if each.is_of_each_ds]
        steps = [replace(step, followers=tuple(made_with(with_ds, step.tables))) for step in self.steps]
        given = {(each, step.ds) for step in steps for each in step.followers}
        lacking = sorted({ds for each in with_ds for ds in old.get(each, ()) if (each, ds) not in given})
        for ds in lacking:
            mine = [each for each in with_ds if ds in old.get(each, ()) and (each, ds) not in given]
            steps.append(Step(ds, followers=tuple(mine)))
        if only_ds is None:
            made = [table for step in steps for table in step.tables]
            whole = [each for each in followers if not each.is_of_each_ds]
            last = [each for each in whole if each in old or each in made_with(whole, made)]
        else:
            last = [each for each in followers if not any(each in step.followers for step in steps)]
        if last:
            ends = [*(step.ds for step in steps[-1:]), *(old[each][-1] for each in last if each in old)]
            steps.append(Step(only_ds or max(ends), followers=tuple(last)))
        return replace(self, steps=tuple(steps))


def periods(first: str, last: str, grain: Grain, zone: tzinfo = UTC) -> list[str]:
    """The ds values of a grain from `first` to `last`, which may be written in a coarser grain: whole days."""
    if first > last:
        raise UsageError(f"--from {first} is after --to {last}")
    written = grain_of(first)
    if written is not grain_of(last):
        raise UsageError(f"--from {first} and --to {last} are of two grains: write both as the other")
    found = span(cover(first, grain, zone)[0], cover(last, grain, zone)[-1], zone)
    if grain.length <= written.length:
        return found
    # Part of a period is no slice of a coarser table.
    return [ds for ds in found if cover(ds, written, zone)[0] >= first and cover(ds, written, zone)[-1] <= last]


def make_plan(
    tables: Iterable[TableNode],
    first: str,
    last: str,
    published: Mapping[Table, Set[str]],
    force: bool = False,
    snapshot_ds: Set[str] = frozenset(),
    zone: tzinfo = UTC,
    every: Mapping[str, TableNode] | None = None,
    downstream: bool = False,
    is_due: Callable[[str], bool] = lambda ds: True,
    stale: Mapping[Key, str] | None = None,
    remake_stale: bool = False,
) -> Plan:
    """The steps that make what is missing of `tables` (upstream first) from `first` to `last`, both included.

    `published`: the ds values that stand, by table. `force` makes models again that stand. `snapshot_ds`: the ds
    values for which a cumulative import may be taken now. `zone`: the project's, whose clock may leap over some.

    `every`: all tables of the project. What stands on a slice that is made is then made again, within `tables` and the
    range, or anywhere with `downstream`; what is left over is in the plan's `left`. `is_due`: whether a period is over.

    `stale`: slices that are not what would be made now, with the reasons; `remake_stale` makes them again.
    """
    stale = stale or {}
    made: dict[Key, str] = {}
    within: set[Key] = set()
    done, lost, early = 0, [], []
    known = {node.unique_id: node for node in tables}
    for node in known.values():
        stands = published.get(node.table, frozenset())
        for ds in periods(first, last, node.settings.grain, zone):
            if not (node.settings.start or ds) <= ds <= (node.settings.end or ds):
                continue
            key = node.unique_id, ds
            within.add(key)
            if ds in stands and (node.is_import or not force):
                if remake_stale and key in stale:
                    made[key] = stale[key]
                else:
                    done += 1
            elif not is_due(ds):
                early.append((node, ds))
            elif not node.is_import or node.settings.kind is Kind.EVENTS or ds in snapshot_ds:
                made[key] = FORCED if ds in stands else MISSING
            else:
                lost.append((node, ds))
    left: dict[Key, Key] = {}
    for key, cause in made_stale(every or {}, list(made), published, zone).items():
        if downstream or key in within:
            made[key] = f"{DOWNSTREAM}{(every or {})[cause[0]]} {cause[1]}"
            done -= key in within
        else:
            left[key] = cause
    standing = {key: reason for key, reason in stale.items() if key in within and key not in made}
    return Plan(_steps(every or known, made, zone), done, tuple(lost), tuple(early), made, left, standing)


def _steps(tables: Mapping[str, TableNode], made: Iterable[Key], zone: tzinfo) -> tuple[Step, ...]:
    """Slices in the order that they can be made in: by the end of their period, upstream first."""
    by_ds: dict[str, set[str]] = {}
    for unique_id, ds in made:
        by_ds.setdefault(ds, set()).add(unique_id)
    order = sorted(by_ds, key=lambda ds: (bounds(ds, zone)[1], grain_of(ds).length, ds))
    place = {unique_id: number for number, unique_id in enumerate(tables)}
    found = []
    for ds in order:
        nodes = [tables[unique_id] for unique_id in sorted(by_ds[ds], key=place.__getitem__)]
        imports = tuple(node for node in nodes if node.is_import)
        found.append(Step(ds, imports, tuple(node for node in nodes if not node.is_import)))
    return tuple(found)


def ranges(values: Iterable[str], zone: tzinfo = UTC) -> list[tuple[str, str, int]]:
    """The ds values of one grain as runs without a gap: first, last, how many."""
    found: list[list[str]] = []
    for ds in sorted(values):
        if found and shift(found[-1][-1], 1, zone) == ds:
            found[-1].append(ds)
        else:
            found.append([ds])
    return [(run[0], run[-1], len(run)) for run in found]
