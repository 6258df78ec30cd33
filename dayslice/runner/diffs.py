"""Compares versions of slices in the engine, and says by their receipts why they differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dayslice.engines.target import Target
from dayslice.errors import UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.rules.diff_queries import (
    are_keys,
    changed_rows,
    compared,
    differs,
    drifts,
    multisets,
)
from dayslice.rules.diff_words import BEFORE, Side, Tolerance, chosen
from dayslice.rules.differences import ColumnChange, Difference, Drift, are_known_equal, reasons, schema_changes
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import AUDIT_LOGIC
from dayslice.rules.slices import Slice, Version
from dayslice.runner.project import Project, load_project
from dayslice.runner.version_rows import VersionRows, open_rows


@dataclass(frozen=True)
class Asked:
    """How to compare."""

    key: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    tolerance: Tolerance | None = None
    samples: int = 0
    always: bool = False
    """Read the rows though fingerprints are equal."""
    no_key: bool = False
    """Without a key, though the table has one."""


@dataclass(frozen=True)
class Found:
    """One side of one comparison: where it is, and the version."""

    project: Project
    node: TableNode
    version: Version


@dataclass
class Compare:
    """A comparison of two sides of a table, a ds at a time."""

    project: Project
    name: str
    left: Side
    right: Side
    asked: Asked
    projects: dict[str | None, Project] = field(default_factory=dict)

    def differences(self) -> Iterator[Difference]:
        """Raises UsageError for a slice or version that is not there, or a key that is none."""
        pairs = list(self._pairs())
        targets: list[Target] = [each.project.target for each in pairs[0]]
        with open_rows(targets) as rows:
            for before, after in pairs:
                yield compare(rows, before, after, self.asked)

    def _pairs(self) -> Iterator[tuple[Found, Found]]:
        for first, second in zip(self.left.slices, self.right.slices, strict=True):
            yield self._found(self.left, first), self._found(self.right, second)

    def _found(self, side: Side, ds: str) -> Found:
        if side.target not in self.projects:
            self.projects[side.target] = self.project if side.target is None else load_project(target=side.target)
        project = self.projects[side.target]
        node = project.find(self.name)
        place = Slice(node.table, ds)
        with open_metastore(project.target) as metastore:
            published = metastore.published(node.table, [ds]).get(ds)
            versions = metastore.versions(place) if side.version else []
        version = chosen(versions, published, side.version)
        if version is None:
            raise UsageError(_nothing(node, side, ds, published, versions))
        return Found(project, node, version)


def _nothing(node: TableNode, side: Side, ds: str, published: Version | None, versions: Sequence[Version]) -> str:
    where = f" for target {side.target}" if side.target else ""
    if published is None:
        return f"{node} {ds} is not published{where}: dayslice status --select {node} shows what stands"
    if side.version == BEFORE:
        return f"{node} {ds} has one version only{where}: name two slices to compare, as in {ds} and another ds"
    kept = ", ".join(f"v{each.sequence} ({each.id})" for each in versions)
    return f"{node} {ds} has no version {side.version}{where}; kept are: {kept}"


def compare(rows: VersionRows, before: Found, after: Found, asked: Asked) -> Difference:
    """Two versions. Raises UsageError for a key that is none."""
    first, second = before.version, after.version
    found = Difference(
        second.slice.ds,
        label(first),
        label(second),
        first.receipt.rows,
        second.receipt.rows,
        reasons=why(before, after),
    )
    if not asked.always and are_known_equal(first, second):
        return replace(found, is_known_equal=True)
    relations = rows.relation(first, before.node.is_import), rows.relation(second, after.node.is_import)
    types = rows.types(relations[0]), rows.types(relations[1])
    left_out = {each.lower() for each in asked.without}
    _check_columns(after.node, (*asked.key, *asked.without), {**types[0], **types[1]})
    shared = [each for each in types[0] if each in types[1] and each not in left_out]
    key = () if asked.no_key else asked.key or after.node.key
    kept = [{name: type for name, type in side.items() if name not in left_out} for side in types]
    found = replace(found, schema=schema_changes(*kept))
    if not key or not set(key) <= set(shared):
        if asked.tolerance:
            raise UsageError(f"--tolerance needs a key, and {after.node} has none: say --key COLUMN")
        return _as_multisets(rows, relations, types, shared, found, asked)
    # A key that is none would make a join without end, so it is looked at before; where an audit did that, after.
    if not (asked_by_audit(before, key) and asked_by_audit(after, key)):
        _check_key(rows, relations[0], before.node, first, key)
    pairs = {name: (types[0][name], types[1][name]) for name in shared if name not in key}
    conditions = {name: differs(name, pair, asked.tolerance) for name, pair in pairs.items()}
    found_rows = map(int, rows.rows(compared(*relations, key, conditions))[0])
    removed, added, changed, met, keys_before, keys_after, *counts = found_rows
    if not are_keys((first.receipt.rows, second.receipt.rows), removed, added, met, (keys_before, keys_after)):
        _check_key(rows, relations[0], before.node, first, key)
        _check_key(rows, relations[1], after.node, second, key)
    by_column = {name: n for name, n in zip(conditions, counts, strict=True) if n}
    return replace(
        found,
        key=key,
        removed=removed,
        added=added,
        changed=changed,
        columns=_drifted(rows, relations, types, by_column, asked),
        samples=_samples(rows, relations, key, by_column, conditions, asked),
    )


def asked_by_audit(side: Found, key: Sequence[str]) -> bool:
    """Whether this version passed the audits that the project has now, and these are its key's."""
    audits = side.project.logic.get(side.node.unique_id, ("", ""))[1]
    return tuple(key) == side.node.key and audits != "" and side.version.receipt.more.get(AUDIT_LOGIC) == audits


def label(version: Version) -> str:
    """A version as people call it."""
    return f"{version.slice} v{version.sequence}" if version.sequence else f"{version.slice} {version.id}"


def why(before: Found, after: Found) -> tuple[str, ...]:
    """The reasons, in the names that the project has."""
    names = {node.table: node.name for each in (before, after) for node in each.project.tables.values()}
    with open_metastore(after.project.target) as metastore:
        numbers = _Numbers(metastore)
        return reasons(
            before.version,
            after.version,
            lambda slice: f"{names.get(slice.table, slice.table)} {slice.ds}",
            numbers.of,
        )


class _Numbers:
    """The numbers of versions of inputs, each slice asked for once."""

    def __init__(self, metastore: Metastore):
        self.metastore = metastore
        self.known: dict[Slice, dict[str, str]] = {}

    def of(self, slice: Slice, version: str) -> str:
        """`v3`, or the id of one that is not kept any more."""
        if slice not in self.known:
            self.known[slice] = {each.id: f"v{each.sequence}" for each in self.metastore.versions(slice)}
        return self.known[slice].get(version, version)


def _check_columns(node: TableNode, named: Sequence[str], known: dict[str, str]) -> None:
    for each in named:
        if each.lower() not in known:
            raise UsageError(f"{node} has no column {each!r}; it has {', '.join(known)}")


def _check_key(rows: VersionRows, relation: str, node: TableNode, version: Version, key: Sequence[str]) -> None:
    repeated = rows.repeated(relation, key)
    if repeated:
        raise UsageError(
            f"{label(version)}: {repeated:,} values of {', '.join(key)} are null or in several rows, so it is no key "
            f"of {node}: name another with --key, or --key '' to compare without one"
        )


def _as_multisets(
    rows: VersionRows,
    relations: tuple[str, str],
    types: tuple[dict[str, str], dict[str, str]],
    shared: Sequence[str],
    found: Difference,
    asked: Asked,
) -> Difference:
    removed, added = map(int, rows.rows(multisets(*relations, shared))[0])
    columns = _drifted(rows, relations, types, dict.fromkeys(shared), asked) if removed or added else ()
    moved = tuple(each for each in columns if each.before != each.after)
    return replace(found, removed=removed, added=added, columns=moved)


def _drifted(
    rows: VersionRows,
    relations: tuple[str, str],
    types: tuple[dict[str, str], dict[str, str]],
    counts: dict[str, int] | dict[str, None],
    asked: Asked,
) -> tuple[ColumnChange, ...]:
    if not counts:
        return ()
    sides = []
    for relation, known in zip(relations, types, strict=True):
        columns = {name: known[name] for name in counts}
        _, *values = rows.rows(drifts(relation, columns, rows.distinct, with_texts=asked.samples > 0))[0]
        sides.append([Drift(*values[n : n + 5]) for n in range(0, len(values), 5)])
    return tuple(
        ColumnChange(name, n, before, after) for (name, n), before, after in zip(counts.items(), *sides, strict=True)
    )


def _samples(
    rows: VersionRows,
    relations: tuple[str, str],
    key: Sequence[str],
    by_column: dict[str, int],
    conditions: dict[str, str],
    asked: Asked,
) -> tuple[tuple[object, ...], ...]:
    if not asked.samples:
        return ()
    found = rows.rows(changed_rows(*relations, key, list(by_column), conditions, asked.samples))
    return tuple(tuple(row) for row in found)
