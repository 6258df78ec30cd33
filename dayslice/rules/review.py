"""What a change of the project does to its tables: two parsed projects compared, table by table. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from dayslice.rules.calendar import Grain
from dayslice.rules.graph import TableNode
from dayslice.rules.retention import Policy
from dayslice.rules.schedules import cron_of
from dayslice.rules.selected_columns import has_word, line_of, selected_columns
from dayslice.rules.settings import WAIT_PREFIX
from dayslice.rules.waits import Wait
from dayslice.rules.words import wait_words

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True)
class Finding:
    """One thing that a reviewer should know: where, what, and what to do about it."""

    level: str
    table: str
    file: str
    line: int
    what: str
    mend: str = ""

    def __str__(self) -> str:
        more = f": {self.mend}" if self.mend else ""
        return f"{self.file}:{self.line}: {self.level}: {self.table}: {self.what}{more}"


@dataclass(frozen=True)
class Tree:
    """A parsed project. `logic`: the hashes of each model; `code`: the text of each table's own file, by unique_id.

    `line_of_key` finds a key of a table's YAML: file, table, key.
    """

    tables: Mapping[str, TableNode]
    logic: Mapping[str, tuple[str, str]]
    code: Mapping[str, str]
    dialect: str
    zone: tzinfo
    line_of_key: Callable[[str, str, str], int]


def changes(before: Tree, after: Tree) -> dict[str, list[str]]:
    """The tables that are others, with what is: new, gone, logic, audits, columns, and settings by their keys."""
    found: dict[str, list[str]] = {}
    for unique_id in dict.fromkeys([*before.tables, *after.tables]):
        old, new = before.tables.get(unique_id), after.tables.get(unique_id)
        if old is None or new is None:
            found[unique_id] = ["new" if old is None else "gone"]
            continue
        what = []
        was, now = before.logic.get(unique_id, ("", "")), after.logic.get(unique_id, ("", ""))
        what += [name for name, a, b in zip(("logic", "audits"), was, now, strict=True) if a != b]
        keys = [each for each in {**old.meta, **new.meta} if not str(each).startswith(WAIT_PREFIX)]
        what += [f"meta {key}" for key in keys if old.meta.get(key) != new.meta.get(key)]
        if new.is_import and _declared(old) != _declared(new):
            what.append("columns")
        if what:
            found[unique_id] = what
    return found


def review(before: Tree, after: Tree) -> Iterator[Finding]:
    """What a change does, the tables in their order."""
    for unique_id, what in changes(before, after).items():
        node = after.tables.get(unique_id) or before.tables[unique_id]
        yield Finding(NOTE, node.name, node.path, 1, f"changed: {', '.join(what)}" if what[0] not in _ONCE else what[0])
        if unique_id not in after.tables:
            yield from _gone(node)
            continue
        if unique_id in before.tables:
            yield from _waits(before, after, unique_id)
            yield from _columns(before, after, unique_id)
        yield from consistency(after, unique_id)


def consistency(after: Tree, unique_id: str) -> Iterator[Finding]:
    """What is wrong between a table and those that it reads or that read it, changed or not."""
    yield from _rhythm(after, unique_id)
    yield from _retention(after, unique_id)


_ONCE = ("new", "gone")


def _gone(node: TableNode) -> Iterator[Finding]:
    yield Finding(
        WARNING,
        node.name,
        node.path,
        1,
        "no model owns its slices any more",
        "they stay published until dayslice retain is told to let them go; readers outside dbt find no new ones",
    )


def _waits(before: Tree, after: Tree, unique_id: str) -> Iterator[Finding]:
    old, new = before.tables[unique_id], after.tables[unique_id]
    for said, waits, others, tree in (
        ("added", new.waits, old.waits, after),
        ("removed", old.waits, new.waits, before),
    ):
        for wait in waits:
            if wait not in others:
                words = wait_words(wait, unique_id, _namer(tree))
                line = line_of(tree.code.get(unique_id, ""), _namer(tree)(wait.upstream).rpartition(".")[2])
                yield Finding(NOTE, new.name, new.path, line if said == "added" else 1, f"wait {said}: {words}")


def _columns(before: Tree, after: Tree, unique_id: str) -> Iterator[Finding]:
    """Columns that are lost, with who reads them, and types that change."""
    old, new = before.tables[unique_id], after.tables[unique_id]
    had, has = _names(before, unique_id), _names(after, unique_id)
    for column in had:
        if column in has:
            continue
        yield Finding(WARNING, new.name, new.path, 1, f"column {column} is gone", "slices from now on have NULL in it")
        for other, reader in after.tables.items():
            reads_it = any(wait.upstream == unique_id for wait in reader.waits) and other != unique_id
            code = after.code.get(other, "")
            if reads_it and has_word(code, column) and column not in _own_names(after, other, unique_id):
                line = line_of(code, column)
                yield Finding(
                    ERROR,
                    reader.name,
                    reader.path,
                    line,
                    f"reads column {column}, which {new.name} has no more",
                    f"keep it in {new.path}, or take it out here in the same change",
                )
    types = {name: (kind, _declared(new).get(name)) for name, kind in _declared(old).items()}
    for name, (was, now) in types.items():
        if was and now and was.lower() != now.lower():
            line = after.line_of_key(new.yaml, name, "data_type")
            yield Finding(
                WARNING if new.is_import else ERROR,
                new.name,
                new.yaml,
                line,
                f"column {name} was {was} and is {now}",
                "earlier slices cannot follow unless it is wider: cast it, or give it a new name",
            )


def _rhythm(after: Tree, unique_id: str) -> Iterator[Finding]:
    """A table of each period that waits for one that comes less often."""
    for upstream, node, wait in _pairs(after, unique_id):
        if node is upstream or wait.asof is not None:
            continue
        if _is_rare(upstream, after.zone) and not _is_rare(node, after.zone):
            name = upstream.name.rpartition(".")[2]
            yield Finding(
                ERROR,
                node.name,
                node.path,
                line_of(after.code.get(node.unique_id, ""), name),
                f"waits for a slice of {upstream.name} each time, which is made on {upstream.settings.schedule} only",
                f"read the newest one: asof('{name}', ds()), or give this table the same schedule",
            )


def _retention(after: Tree, unique_id: str) -> Iterator[Finding]:
    """Slices that go before their readers are done with them: of this table, and of those it reads."""
    for read, reader, wait in _pairs(after, unique_id):
        days = Policy.parse(read.settings.retention).days
        needed = _days(wait, read.settings.grain)
        if days is not None and needed > days:
            yield Finding(
                ERROR,
                read.name,
                read.yaml,
                after.line_of_key(read.yaml, read.table.name, "retention"),
                f"is kept for {days} days, and {reader.name} reads {needed} days back",
                f"keep it for {needed} days at least: retention: {needed} days",
            )


def _pairs(after: Tree, unique_id: str) -> Iterator[tuple[TableNode, TableNode, Wait]]:
    """The table with each that it reads, and each that reads it: the one that is read first."""
    node = after.tables[unique_id]
    yield from ((after.tables[wait.upstream], node, wait) for wait in node.waits if wait.upstream in after.tables)
    for reader in after.tables.values():
        if reader is not node:
            yield from ((node, reader, wait) for wait in reader.waits if wait.upstream == unique_id)


def _days(wait: Wait, grain: Grain) -> int:
    if wait.asof is not None:
        return 0
    length = grain.length * (max(-wait.offset, 0) + wait.periods)
    return -(-length // timedelta(days=1))


def _is_rare(node: TableNode, zone: tzinfo) -> bool:
    """Whether its schedule leaves out days: a day of the month, a month or a weekday is named."""
    fields = cron_of(node.settings.schedule, node.settings.grain, zone).split()
    return node.settings.grain is Grain.DAY and any(each != "*" for each in fields[2:5])


def _names(tree: Tree, unique_id: str) -> list[str]:
    """The columns of a table, as its SELECT gives them; where that does not say, as its YAML does."""
    node = tree.tables[unique_id]
    selected = None if node.is_import else selected_columns(tree.code.get(unique_id, ""), tree.dialect)
    return selected if selected is not None else [name.lower() for name in node.columns]


def _own_names(tree: Tree, reader: str, upstream: str) -> set[str]:
    """The columns that another table that the reader reads has, so that a word there may mean it."""
    others = {wait.upstream for wait in tree.tables[reader].waits} - {upstream, reader}
    return {name for each in others if each in tree.tables for name in _names(tree, each)}


def _declared(node: TableNode) -> dict[str, str | None]:
    return {name.lower(): column.get("data_type") for name, column in node.columns.items()}


def _namer(tree: Tree) -> Callable[[str], str]:
    return lambda unique_id: tree.tables[unique_id].name if unique_id in tree.tables else unique_id.split(".")[-1]
