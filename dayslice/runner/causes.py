"""What holds tables up: one cause, and all that waits for it; of causes that were told before, no second word.

What was told is a note in `<home>/alerts`, made before it is told, so that of two who look at once one tells; it goes
when its slices are there. Whether something is late is never asked of these notes.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dayslice.metastore.interface import Metastore
from dayslice.rules.graph import TableNode
from dayslice.rules.slices import Slice, Table
from dayslice.rules.states import State
from dayslice.runner.board import Problems
from dayslice.runner.explaining import Explainer
from dayslice.runner.project import Project

FOLDER = "alerts"
_NAMED = 8


@dataclass
class Cause:
    """Slices that nothing is in the way of and that are not there: one, or those of one source for one ds."""

    roots: list[tuple[TableNode, str]]
    state: State
    held_up: list[TableNode] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Tells it from other causes, whoever finds it."""
        node, ds = self.roots[0]
        return json.dumps([_source_of(node), ds])


@dataclass(frozen=True)
class Message:
    """What somebody is told."""

    title: str
    body: str


def causes_of(project: Project, problems: Problems, explainer: Explainer) -> list[Cause]:
    """The causes of all problems, in the graph's order. Of each table its first slice of each state is looked into."""
    found: dict[tuple[str, str], Cause] = {}
    states = {(node, ds): state for node, own in problems.items() for state, slices in own.items() for ds in slices}
    for node, own in problems.items():
        for slices in own.values():
            for root, ds in explainer.roots(node, slices[0]):
                cause = found.setdefault((_source_of(root), ds), Cause([], State.LATE))
                if (root, ds) not in cause.roots:
                    cause.roots.append((root, ds))
                    cause.state = states.get((root, ds), cause.state)
                if node not in cause.held_up:
                    cause.held_up.append(node)
    order = {unique_id: n for n, unique_id in enumerate(project.tables)}
    for cause in found.values():
        cause.held_up = [node for node in cause.held_up if node not in dict(cause.roots)]
    return sorted(found.values(), key=lambda each: (order[each.roots[0][0].unique_id], each.roots[0][1]))


def message_of(cause: Cause, explainer: Explainer, error: str = "") -> Message:
    """The sentence of `dayslice why` first, then whom it holds up, and the command that tells more."""
    node, ds = cause.roots[0]
    others = [each for each, _ in cause.roots[1:]]
    more = f" and {len(others)} more of {node.meta.get('connection')}" if others else ""
    lines = [explainer.explain(node, ds).sentence]
    lines += [error] if error else []
    lines += [f"the same: {_names(others)}"] if others else []
    lines += [f"held up by it: {_names(cause.held_up)}"] if cause.held_up else []
    lines.append(f"dayslice why {node} {ds}")
    return Message(f"{node} {ds}{more} {'failed' if error else 'is ' + cause.state.value}", "\n".join(lines))


class Told:
    """The notes of what was told."""

    def __init__(self, home: Path):
        self.folder = home / FOLDER

    def begin(self, cause: Cause) -> bool:
        """Whether it is to be told now: nobody has, or is at it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        slices = [[node.table.schema, node.table.name, ds] for node, ds in cause.roots]
        try:
            with self._note(cause).open("x") as note:
                json.dump(slices, note)
        except FileExistsError:
            return False
        return True

    def take_back(self, cause: Cause) -> None:
        """Nobody could be told."""
        self._note(cause).unlink(missing_ok=True)

    def forget_what_is_over(self, metastore: Metastore) -> None:
        """A cause whose slices are there by now is told again when it comes again."""
        notes = dict(self._notes())
        stands = metastore.published_of([slice for slices in notes.values() for slice in slices])
        for note, slices in notes.items():
            if all(slice in stands for slice in slices):
                note.unlink(missing_ok=True)

    def _notes(self) -> Iterator[tuple[Path, list[Slice]]]:
        for note in self.folder.glob("*.json"):
            with suppress(OSError, ValueError, TypeError):
                yield note, [_slice(*each) for each in json.loads(note.read_text())]

    def _note(self, cause: Cause) -> Path:
        return self.folder / f"{hashlib.sha256(cause.key.encode()).hexdigest()[:24]}.json"


def find_causes(
    project: Project, metastore: Metastore, stands: Mapping[TableNode, list[str]], problems: Problems, now: datetime
) -> tuple[list[Cause], Explainer]:
    """All causes of what is wrong, and who can explain them."""
    explainer = Explainer(project, metastore, now, {node.table: slices for node, slices in stands.items()})
    return causes_of(project, problems, explainer), explainer


def _names(nodes: Sequence[TableNode]) -> str:
    names = [node.name for node in nodes]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _source_of(node: TableNode) -> str:
    """Imports of one connection that are not there have one cause: their source."""
    return f"connection {node.meta.get('connection')}" if node.is_import else node.unique_id


def _slice(schema: str, name: str, ds: str) -> Slice:
    return Slice(Table(schema, name), ds)
