"""What a run over (table, ds) has to do, in order. Pure: it is told what is published and asks nobody.

A step is one ds: its imports, then its models in one dbt build. Steps go by the end of their period, so that an
hourly slice is there before the day that reads it, and a table's own previous slice before the next.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, tzinfo

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, bounds, cover, grain_of, span
from dayslice.rules.graph import TableNode
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Table


@dataclass(frozen=True)
class Step:
    """One ds of a plan: the imports and the models that are to be made for it, upstream first."""

    ds: str
    imports: tuple[TableNode, ...] = ()
    models: tuple[TableNode, ...] = ()

    @property
    def size(self) -> int:
        """How many slices it makes."""
        return len(self.imports) + len(self.models)


@dataclass(frozen=True)
class Plan:
    """The steps, how many slices stand already, and those that cannot be made any more."""

    steps: tuple[Step, ...]
    done: int = 0
    lost: tuple[tuple[TableNode, str], ...] = ()
    """Missing slices of cumulative imports: a snapshot of then cannot be taken now."""

    @property
    def size(self) -> int:
        """How many slices are to be made."""
        return sum(step.size for step in self.steps)


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
) -> Plan:
    """The steps that make what is missing of `tables` (upstream first) from `first` to `last`, both included.

    `published`: the ds values that stand, by table. `force` makes models again that stand. `snapshot_ds`: the ds
    values for which a cumulative import may be taken now. `zone`: the project's, whose clock may leap over some.
    """
    imports: dict[str, list[TableNode]] = {}
    models: dict[str, list[TableNode]] = {}
    done, lost = 0, []
    for node in tables:
        stands = published.get(node.table, frozenset())
        for ds in periods(first, last, node.settings.grain, zone):
            if not (node.settings.start or ds) <= ds <= (node.settings.end or ds):
                continue
            if ds in stands and (node.is_import or not force):
                done += 1
            elif not node.is_import:
                models.setdefault(ds, []).append(node)
            elif node.settings.kind is Kind.EVENTS or ds in snapshot_ds:
                imports.setdefault(ds, []).append(node)
            else:
                lost.append((node, ds))
    order = sorted({*imports, *models}, key=lambda ds: (bounds(ds, zone)[1], grain_of(ds).length, ds))
    steps = tuple(Step(ds, tuple(imports.get(ds, ())), tuple(models.get(ds, ()))) for ds in order)
    return Plan(steps, done, tuple(lost))
