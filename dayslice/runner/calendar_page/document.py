"""What the calendar page knows of each slice, gathered table by table so that a long history stays small.

A table's states are one text, a letter a slice. Rows and landing times go beside it as numbers. A whole receipt is
there for each slice that is not simply published, and for the newest others, up to RECEIPTS in all: 400,000 of them
are more than a browser is to be sent, and `dayslice versions` has them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dayslice.metastore.begun import refused_slices
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import bounds
from dayslice.rules.graph import TableNode
from dayslice.rules.moments import moment
from dayslice.rules.reasons import logic_reason
from dayslice.rules.receipts import FIRST_PUBLISHED, LOGIC, inputs_in_short, published_at
from dayslice.rules.slices import Slice, Table, Version
from dayslice.rules.states import State, states_of
from dayslice.rules.words import table_words
from dayslice.runner.board import ds_by_table, newest_expected, shown_slices
from dayslice.runner.explaining import Explainer
from dayslice.runner.judging import judge
from dayslice.runner.project import Project

COLUMNS = 400
RECEIPTS = 12_000
_AT_ONCE = 50
# Of a slice with many: a range of a year, or years of versions.
_INPUTS = 16
_HISTORIES = 300
_CAUSES = 500
_SAID = 2_000
NOTHING = "."


@dataclass
class Document:
    """`head` is read at once, `cells` and `receipts` when they are asked for."""

    head: dict[str, Any]
    cells: dict[str, Any] = field(default_factory=lambda: {"rows": [], "landed": []})
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)


class Gathering:
    """Makes a document of one metastore's tables."""

    def __init__(self, project: Project, metastore: Metastore, tables: Sequence[TableNode], now: datetime):
        self.project, self.metastore, self.tables, self.now = project, metastore, tables, now
        there = metastore.published_ds_of([node.table for node in tables])
        self.stands = {node: there[node.table] for node in tables}
        self.explainer = Explainer(project, metastore, now, there)
        self.number = {node.unique_id: n for n, node in enumerate(tables)}
        self.names = {unique_id: each.name for unique_id, each in project.tables.items()}
        self.by_table = {node.table: n for n, node in enumerate(tables)}
        self.known: dict[tuple[str, str], dict[str, str]] = {}
        """The id of what is published, as far as it was looked at; '' where nothing is."""
        self.left = RECEIPTS
        self.histories: list[tuple[Slice, dict[str, Any]]] = []
        self.causes = _CAUSES

    def document(self, first: str | None, last: str | None) -> Document:
        """From one ds to another; by default the newest COLUMNS of each grain, up to what is expected by now."""
        zone = self.project.time_zone
        ends = {} if last else newest_expected(self.stands, self.now, zone, COLUMNS)
        shown = shown_slices(self.stands, first, last, COLUMNS, ends)
        grains = list(shown)
        head: dict[str, Any] = {
            "title": self._title(),
            "target": self.project.target.name,
            "zone": str(zone),
            "made": self.now.astimezone(UTC).isoformat(timespec="seconds"),
            "states": {state.letter: state.value for state in State},
            "grains": [{"grain": grain.value, "ds": slices} for grain, slices in shown.items()],
            "tables": [],
        }
        found = Document(head)
        newest = max(1, RECEIPTS // 2 // max(1, len(self.tables)))
        for start in range(0, len(self.tables), _AT_ONCE):
            some = self.tables[start : start + _AT_ONCE]
            for grain, slices in shown.items():
                own = [node for node in some if node.settings.grain is grain]
                if own and slices:
                    self._add(found, own, slices, grains.index(grain), newest)
        # Grains mix in the graph's order, and were gathered one after the other.
        self._in_order(found)
        for slice, receipt in self.histories[:_HISTORIES]:
            kept = self.metastore.versions(slice)
            receipt["kept"] = [[each.id, each.receipt.finished, each.receipt.rows] for each in kept]
        return found

    def _add(self, found: Document, nodes: list[TableNode], slices: list[str], grain: int, newest: int) -> None:
        zone = self.project.time_zone
        ends = {ds: bounds(ds, zone)[1] for ds in slices}
        versions = self.metastore.overview([node.table for node in nodes], slices[0], slices[-1])
        wanted = [Slice(node.table, ds) for node in nodes for ds in slices if ds not in versions[node.table]]
        refused = refused_slices(self.project.target.notes, wanted)
        stale: dict[str, dict[str, str]] = {}
        for (unique_id, ds), why in self._stale(nodes, versions).items():
            stale.setdefault(unique_id, {})[ds] = why
        tries = ds_by_table(refused)
        for node in nodes:
            there = versions[node.table]
            tried = tries.get(node.table, set())
            of = stale.get(node.unique_id, {})
            states = states_of(node, slices, there, self.stands[node], self.now, zone, of, tried)
            found.head["tables"].append(
                self._table(node, grain)
                | {"s": "".join(states[ds].letter if ds in states else NOTHING for ds in slices)}
            )
            found.cells["rows"].append([there[ds].receipt.rows if ds in there else None for ds in slices])
            found.cells["landed"].append([_landed(there[ds], ends[ds]) if ds in there else None for ds in slices])
            found.receipts[str(self.number[node.unique_id])] = dict(
                self._receipts(node, slices, states, there, of, refused, newest)
            )

    def _receipts(
        self,
        node: TableNode,
        slices: list[str],
        states: Mapping[str, State],
        there: Mapping[str, Version],
        stale: Mapping[str, str],
        refused: Mapping[Slice, list[str]],
        newest: int,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is told of single slices, by their place."""
        kept = set(sorted(there)[-newest:])
        for at, ds in reversed(list(enumerate(slices))):
            state = states.get(ds)
            if ds in there and self.left > 0 and (ds in kept or state is not State.PUBLISHED):
                self.left -= 1
                yield str(at), self._receipt(there[ds], stale.get(ds))
            elif state is not None and state.is_problem:
                told: dict[str, Any] = {}
                if said := refused.get(Slice(node.table, ds)):
                    told["said"] = said[-1][:_SAID]
                if self.causes > 0:
                    self.causes -= 1
                    causes = self.explainer.roots(node, ds)
                    told["waits"] = [[each.name, of] for each, of in causes if (each, of) != (node, ds)]
                if told:
                    yield str(at), told

    def _receipt(self, version: Version, stale: str | None) -> dict[str, Any]:
        receipt, more = version.receipt, version.receipt.more
        told: dict[str, Any] = {
            "v": version.id,
            "n": version.sequence,
            "b": receipt.bytes,
            "s": receipt.started,
            "f": receipt.finished,
            "run": receipt.run,
        }
        names = {"logic": LOGIC, "audits": "audits", "accepted": "accepted", "source": "source_snapshot"}
        told |= {short: more[name] for short, name in names.items() if more.get(name)}
        first = more.get(FIRST_PUBLISHED)
        told |= {"first": first} if first and first != published_at(receipt) else {}
        told |= {"stale": stale} if stale else {}
        read = list(inputs_in_short(receipt))
        told["in"] = [
            [self.by_table.get(Table(schema, name), f"{schema}.{name}"), ds, id, self._now(schema, name, ds) == id]
            for (schema, name, ds), id in read[-_INPUTS:]
        ]
        told |= {"more": len(read) - _INPUTS} if len(read) > _INPUTS else {}
        if version.sequence > 1:
            self.histories.append((version.slice, told))
        return told

    def _stale(
        self, nodes: Iterable[TableNode], versions: Mapping[Table, Mapping[str, Version]]
    ) -> dict[tuple[str, str], str]:
        """Why versions would be made again: those that read another id than what is published are judged in full."""
        for table, there in versions.items():
            self.known.setdefault((table.schema, table.name), {}).update({ds: each.id for ds, each in there.items()})
        models = [
            (node, version, list(inputs_in_short(version.receipt)))
            for node in nodes
            if not node.is_import
            for version in versions[node.table].values()
        ]
        self._look_up({place for _, _, read in models for place, _ in read})
        other = {}
        found: dict[tuple[str, str], str] = {}
        for node, version, read in models:
            key = node.unique_id, version.slice.ds
            if any(self._now(*place) not in ("", id) for place, id in read):
                other[key] = version
            elif reason := logic_reason(version, self.project.logic.get(node.unique_id)):
                found[key] = reason
        return {**found, **judge(self.project, self.metastore, other, {})}

    def _look_up(self, wanted: Iterable[tuple[str, str, str]]) -> None:
        unknown = [of for of in wanted if of[2] not in self.known.get(of[:2], {})]
        stands = self.metastore.published_of([Slice(Table(schema, name), ds) for schema, name, ds in unknown])
        for schema, name, ds in unknown:
            version = stands.get(Slice(Table(schema, name), ds))
            self.known.setdefault((schema, name), {})[ds] = version.id if version else ""

    def _now(self, schema: str, name: str, ds: str) -> str:
        return self.known.get((schema, name), {}).get(ds, "")

    def _table(self, node: TableNode, grain: int) -> dict[str, Any]:
        names = self.names
        upstream = dict.fromkeys(wait.upstream for wait in node.waits if wait.upstream != node.unique_id)
        return {
            "n": node.name,
            "at": self.number[node.unique_id],
            "g": grain,
            "i": int(node.is_import),
            "k": node.settings.kind.value,
            "o": node.settings.owner or "",
            "d": " ".join(node.description.split()),
            "p": node.path,
            "w": [self.number[each] for each in upstream if each in self.number],
            "about": table_words(node, lambda each: names.get(each, each), self.project.time_zone),
        }

    def _in_order(self, found: Document) -> None:
        tables = found.head["tables"]
        order = sorted(range(len(tables)), key=lambda n: tables[n]["at"])
        place = {tables[n]["at"]: new for new, n in enumerate(order)}
        found.head["tables"] = [tables[n] for n in order]
        for each in found.head["tables"]:
            del each["at"]
            each["w"] = [place[n] for n in each["w"] if n in place]
        for name, values in found.cells.items():
            found.cells[name] = [values[n] for n in order]
        found.receipts = {str(place[int(at)]): told for at, told in found.receipts.items() if told}
        for slices in found.receipts.values():
            for told in slices.values():
                for read in told.get("in", ()):
                    if isinstance(read[0], int):
                        node = self.tables[read[0]]
                        read[0] = place.get(read[0], node.name)

    def _title(self) -> str:
        return next(iter(self.project.tables), "..").split(".")[1] or "This warehouse"


def _landed(version: Version, end: datetime) -> int | None:
    """Minutes from the period's end to the first publication; negative of a period that was open."""
    at = moment(version.receipt.more.get(FIRST_PUBLISHED) or version.receipt.finished)
    return round((at - end).total_seconds() / 60) if at else None
