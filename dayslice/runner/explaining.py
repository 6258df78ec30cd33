"""Why a slice is as it is: what it waits for, what it was made of, what reads it. By the metastore, in few looks."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from dayslice.metastore.begun import refusals
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import bounds
from dayslice.rules.etas import Eta, eta
from dayslice.rules.graph import TableNode
from dayslice.rules.moments import duration, moment, seconds_between
from dayslice.rules.reasons import is_unknown, stale_reason
from dayslice.rules.receipts import first_published, inputs_of, is_same_content, published_at
from dayslice.rules.slices import Slice, Table, Version
from dayslice.rules.states import State, expected_of, let_go, state_of
from dayslice.runner.judging import awaited_by, standing_of
from dayslice.runner.project import Project

# A chain of a table's own slices can be as long as its history: the nearest say enough.
_DEEPEST = 12
_NEWEST = 90


@dataclass(frozen=True)
class Link:
    """One slice of the chain. `depth`: how far upstream. `waited` for its inputs, `ran`: seconds, where known."""

    depth: int
    table: str
    ds: str
    state: str
    at: str = ""
    waited: float | None = None
    ran: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Explanation:
    """What `dayslice why` says."""

    table: str
    ds: str
    state: str
    sentence: str
    chain: list[Link]
    downstream: list[str]
    eta: Eta | None = None
    failed: list[str] = field(default_factory=list)
    receipt: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        usual = self.eta and {
            "median": self.eta.median.isoformat(),
            "p90": self.eta.p90.isoformat(),
            "of": self.eta.of,
            "same_weekday": self.eta.same_weekday,
        }
        return {**asdict(self), "eta": usual}


class Explainer:
    """Looks at one metastore, and remembers what it saw. `known`: what was seen of published ds before."""

    def __init__(
        self, project: Project, metastore: Metastore, now: datetime, known: Mapping[Table, list[str]] | None = None
    ):
        self.project = project
        self.metastore = metastore
        self.now = now
        self.zone: tzinfo = project.time_zone
        self._ds: dict[Table, list[str]] = dict(known or {})
        self._there: dict[Table, frozenset[str]] = {}
        self._lacks: dict[tuple[str, str], list[Slice]] = {}
        self._nodes = {node.table: node for node in project.tables.values()}

    def roots(self, node: TableNode, ds: str) -> list[tuple[TableNode, str]]:
        """The slices that one that is not there waits for in the end, in the graph's order: nothing is in their way."""
        found, seen, ahead = [], {(node.unique_id, ds)}, [(node, ds)]
        while ahead:
            each, of = ahead.pop()
            lacking = self._lacking_inputs(each, of)
            if not lacking:
                found.append((each, of))
            for slice in lacking:
                upstream = self._nodes[slice.table]
                if (upstream.unique_id, slice.ds) not in seen:
                    seen.add((upstream.unique_id, slice.ds))
                    ahead.append((upstream, slice.ds))
        order = list(self.project.tables)
        return sorted(found, key=lambda one: (order.index(one[0].unique_id), one[1]))

    def explain(self, node: TableNode, ds: str) -> Explanation:
        """Why a slice is as it is."""
        version = self.metastore.published(node.table, [ds]).get(ds)
        return self._standing(node, version) if version else self._lacking(node, ds)

    def _standing(self, node: TableNode, version: Version) -> Explanation:
        receipt, ds = version.receipt, version.slice.ds
        inputs = inputs_of(receipt) or {}
        now = standing_of(self.metastore, inputs)
        reason = stale_reason(version, now.get, self.project.logic.get(node.unique_id))
        first = first_published(receipt) or receipt.finished
        parts = [f"{node} {ds} was published {self._clock(first)} with {receipt.rows:,} rows"]
        if published_at(receipt) != first:
            parts.append(f"made again {self._clock(published_at(receipt))}")
        if reason:
            parts.append(f"stale: {reason}")
        elif node.is_import:
            parts.append(f"read from its source at {receipt.more.get('source_snapshot') or 'an unknown moment'}")
        elif is_unknown(version):
            parts.append("its receipt is of before, and does not say what it was made of")
        else:
            parts.append("it is what would be made now")
        links = list(self._made_of(version, 0))
        about = {
            "version": version.id,
            "rows": receipt.rows,
            "run": receipt.run,
            "logic": receipt.more.get("logic", ""),
            "audits": receipt.more.get("audits", ""),
            "accepted": receipt.more.get("accepted", ""),
        }
        state = "stale" if reason else "published"
        return Explanation(
            node.name, ds, state, "; ".join(parts), links, self._downstream(node), self._eta(node, ds), [], about
        )

    def _made_of(self, version: Version, depth: int) -> Iterator[Link]:
        """A version and its inputs; of the one that came last its own, and so on: what the time went for."""
        receipt, slice = version.receipt, version.slice
        inputs = inputs_of(receipt) or {}
        stands = standing_of(self.metastore, inputs)
        landed = {each: self._landed(found) for each, found in stands.items()}
        last = max(landed, key=landed.__getitem__, default=None)
        waited = seconds_between(bounds(slice.ds, self.zone)[1].isoformat(), landed[last]) if last else None
        ran = seconds_between(receipt.started, receipt.finished)
        yield Link(depth, self._name(slice.table), slice.ds, "published", self._landed(version), waited, ran)
        for each, read in inputs.items():
            found = stands.get(each)
            if found is None:
                yield Link(depth + 1, self._name(each.table), each.ds, "gone", note=f"{read.version} was read")
            elif each != last or depth >= _DEEPEST:
                same = is_same_content(read, found)
                note = "" if same else f"{read.version} was read, {found.id} is published"
                yield Link(
                    depth + 1, self._name(each.table), each.ds, "as read" if same else "newer", landed[each], note=note
                )
        if last is not None and depth < _DEEPEST:
            yield from self._made_of(stands[last], depth + 1)

    def _lacking(self, node: TableNode, ds: str) -> Explanation:
        state = self._state(node, ds)
        links = list(self._waiting(node, ds, 0, set()))
        causes = [link for link in links if link.note == _CAUSE]
        failed = refusals(self.project.target.notes, Slice(node.table, ds))
        usual = self._eta(node, ds)
        parts = [f"{node} {ds} is {state}"]
        cause = causes[0] if causes else None
        if failed:
            parts.append(f"its last try was refused: {failed[-1].splitlines()[0]}")
        elif cause is not None and (cause.table, cause.ds) != (node.name, ds):
            root = self.project.find(cause.table)
            others = f", and {len(causes) - 1} more" if len(causes) > 1 else ""
            parts.append(f"waits for {cause.table} {cause.ds}, which is {cause.state}{others}")
            parts += [f"owner {root.settings.owner}"] if root.settings.owner else []
            usual_of_root = self._eta(root, cause.ds)
            parts += [self._usually(usual_of_root)] if usual_of_root else []
        else:
            parts.append(_NOT_RUN[node.is_import])
            parts += [f"owner {node.settings.owner}"] if node.settings.owner else []
            parts += [self._usually(usual)] if usual else []
        return Explanation(node.name, ds, state, "; ".join(parts), links, self._downstream(node), usual, failed)

    def _waiting(self, node: TableNode, ds: str, depth: int, seen: set[tuple[str, str]]) -> Iterator[Link]:
        """A slice that is not there, and those that it waits for, upstream to where it begins."""
        if (node.unique_id, ds) in seen or depth > _DEEPEST:
            return
        seen.add((node.unique_id, ds))
        wanted = self._wanted(node, ds)
        lacking = self._lacking_inputs(node, ds)
        yield Link(depth, node.name, ds, self._state(node, ds), note="" if lacking else _CAUSE)
        for each in wanted:
            if each not in lacking:
                found = self.metastore.published(each.table, [each.ds])[each.ds]
                yield Link(depth + 1, self._name(each.table), each.ds, "published", self._landed(found))
        for each in lacking:
            yield from self._waiting(self._nodes[each.table], each.ds, depth + 1, seen)

    def _wanted(self, node: TableNode, ds: str) -> list[Slice]:
        return [
            each
            for awaited in awaited_by(self.project, node)
            for each in awaited.wanted(ds, self._published_ds, self.zone)
        ]

    def _lacking_inputs(self, node: TableNode, ds: str) -> list[Slice]:
        """What a slice waits for and is not there."""
        key = node.unique_id, ds
        if key not in self._lacks:
            self._lacks[key] = [each for each in self._wanted(node, ds) if each.ds not in self._is_there(each.table)]
        return self._lacks[key]

    def _is_there(self, table: Table) -> frozenset[str]:
        if table not in self._there:
            self._there[table] = frozenset(self._published_ds(table))
        return self._there[table]

    def _state(self, node: TableNode, ds: str) -> str:
        stands = self._published_ds(node.table)
        expected = expected_of(node, stands, self.now, self.zone, ds)
        if ds in self._published_ds(node.table):
            return "published"
        found = state_of(node, ds, stands, expected, let_go(node, [ds], stands))
        return (found or State.MISSING).value

    def _eta(self, node: TableNode, ds: str) -> Eta | None:
        newest = [each for each in self._published_ds(node.table) if each < ds][-_NEWEST:]
        found = self.metastore.published(node.table, newest)
        return eta({each: self._landed(version) for each, version in found.items()}, ds, self.zone)

    def _usually(self, usual: Eta) -> str:
        late = self._clock(usual.p90.isoformat())
        return f"usually there by {self._clock(usual.median.isoformat())}, nine times of ten by {late}"

    def _downstream(self, node: TableNode) -> list[str]:
        found = self.project.lineage.downstream([node.unique_id])
        return [each.name for unique_id, each in self.project.tables.items() if unique_id in found]

    def _published_ds(self, table: Table) -> list[str]:
        if table not in self._ds:
            self._ds[table] = self.metastore.published_ds(table)
        return self._ds[table]

    def _name(self, table: Table) -> str:
        return self._nodes[table].name if table in self._nodes else str(table)

    def _clock(self, text: str) -> str:
        at = moment(text)
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}" if at else "at an unknown time"

    @staticmethod
    def _landed(version: Version) -> str:
        return first_published(version.receipt) or version.receipt.finished


_CAUSE = "nothing is in its way"
_NOT_RUN = {
    False: "what it reads is there, so that it was not run yet or its run failed",
    True: "its import was not run yet, or its run failed",
}


def chain_lines(explanation: Explanation) -> Iterator[str]:
    """The chain for people, a line a slice."""
    for link in explanation.chain:
        told = [f"{'  ' * link.depth}{link.table} {link.ds}: {link.state}"]
        told += [link.at[:16].replace("T", " ")] if link.at else []
        told += [f"waited {duration(link.waited)}"] if link.waited and link.waited > 0 else []
        told += [f"ran {duration(link.ran)}"] if link.ran is not None else []
        told += [link.note] if link.note else []
        yield ", ".join(told)
