"""Which published slices are not what would be made now, by their receipts: what the metastore is asked for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dayslice.metastore.choice import open_metastore
from dayslice.metastore.interface import Metastore
from dayslice.rules.graph import TableNode
from dayslice.rules.moments import seconds_between
from dayslice.rules.reasons import is_unknown, logic_reason, stale_reason
from dayslice.rules.receipts import inputs_in_short
from dayslice.rules.slices import Slice, Table, Version
from dayslice.rules.stale import Key
from dayslice.rules.states import let_go
from dayslice.rules.waits import Awaited
from dayslice.runner.project import Project

# How many of a table's newest slices say what the next one costs.
_NEWEST = 14


@dataclass(frozen=True)
class Cost:
    """What a slice of a table takes, by the receipts of its newest ones: medians. `of`: how many they are."""

    seconds: float
    rows: int
    bytes: int
    of: int

    def times(self, count: int) -> "Cost":
        """Of so many slices."""
        return Cost(self.seconds * count, self.rows * count, self.bytes * count, self.of)


def stale_slices(
    project: Project, metastore: Metastore, tables: Sequence[TableNode], first: str, last: str
) -> dict[Key, str]:
    """The published slices of models from one ds to another that are to be made again, each with the reason."""
    models = [node for node in tables if not node.is_import]
    upstream = [project.tables[wait.upstream] for node in models for wait in node.waits]
    asked = {node.table: node for node in (*models, *upstream)}
    # A slice of a coarser grain is written shorter, and so sorts before the first hour of its day.
    found = metastore.overview(list(asked), first[:10], last)
    judged = {(node.unique_id, ds): each for node in models for ds, each in found[node.table].items()}
    seen = {each.slice: each for versions in found.values() for each in versions.values()}
    return judge(project, metastore, judged, seen)


def judge(
    project: Project, metastore: Metastore, versions: Mapping[Key, Version], seen: Mapping[Slice, Version]
) -> dict[Key, str]:
    """Which of these versions are to be made again, and why. `seen`: what is known already of what stands."""
    # Nearly all read what is published: told by ids, which costs a tenth of comparing what was read in full.
    ids = {(slice.table.schema, slice.table.name, slice.ds): each.id for slice, each in seen.items()}
    read = {key: list(inputs_in_short(version.receipt)) for key, version in versions.items()}
    outside = {place for each in read.values() for place, _ in each if place not in ids}
    now = {**seen, **standing_of(metastore, (Slice(Table(schema, name), ds) for schema, name, ds in outside))}
    for schema, name, ds in outside:
        version = now.get(Slice(Table(schema, name), ds))
        if version is not None:
            ids[schema, name, ds] = version.id
    found = {}
    for key, version in versions.items():
        hashes = project.logic.get(key[0])
        is_other = any(ids.get(place, id) != id for place, id in read[key])
        if reason := stale_reason(version, now.get, hashes) if is_other else logic_reason(version, hashes):
            found[key] = reason
    return found


def awaited_by(project: Project, node: TableNode) -> list[Awaited]:
    """A table's waits, with what its upstream tables are."""
    found = []
    for wait in node.waits:
        upstream = project.tables[wait.upstream]
        followed = project.tables[wait.follows].table if wait.follows else None
        settings, itself = upstream.settings, wait.upstream == node.unique_id
        found.append(Awaited(wait, upstream.table, settings.grain, settings.kind, settings.start, itself, followed))
    return found


def blocked(project: Project, metastore: Metastore, made: Iterable[Key]) -> dict[Key, str]:
    """The slices of a plan that wait for one that neither stands nor is made by it, and for which.

    `made`: all of them, each after what it reads.
    """
    keys = list(made)
    nodes = {unique_id: project.tables[unique_id] for unique_id, _ in keys}
    upstream = {project.tables[wait.upstream] for node in nodes.values() for wait in node.waits}
    names = {node.table: node for node in upstream}
    there = {table: set(ds) for table, ds in metastore.published_ds_of(list(names)).items()}
    then = {table: set(ds) for table, ds in there.items()}
    for unique_id, ds in keys:
        if project.tables[unique_id].table in then:
            then[project.tables[unique_id].table].add(ds)
    ordered = {table: sorted(ds) for table, ds in then.items()}
    found: dict[Key, Slice] = {}
    for unique_id, ds in keys:
        for awaited in awaited_by(project, nodes[unique_id]):
            wanted = awaited.wanted(ds, ordered.__getitem__, project.time_zone)
            lacking = [each for each in wanted if each.ds not in then[each.table]]
            if lacking:
                found[unique_id, ds] = lacking[0]
                own = project.tables[unique_id].table
                if own in then and ds not in there[own]:
                    then[own].discard(ds)  # what reads it is blocked as well
                    ordered[own].remove(ds)
                break
    # Of a table at once: what its policy lets go is told from all that it has.
    of_table: dict[Table, list[str]] = {}
    for each in found.values():
        of_table.setdefault(each.table, []).append(each.ds)
    gone = {table: let_go(names[table], slices, there[table]) for table, slices in of_table.items()}
    return {
        key: f"{'expired upstream:' if each.ds in gone[each.table] else 'blocked by'} {names[each.table]} {each.ds}"
        for key, each in found.items()
    }


def unchanged(project: Project, models: Iterable[TableNode], ds: str) -> set[str]:
    """The models (unique_ids) whose slice of a ds stands, and is what would be made of its inputs as they are now."""
    places = {node.unique_id: Slice(node.table, ds) for node in models}
    with open_metastore(project.target) as metastore:
        stands = standing_of(metastore, places.values())
        known = {(unique_id, ds): stands[place] for unique_id, place in places.items() if place in stands}
        stale = judge(project, metastore, known, stands)
    return {key[0] for key, version in known.items() if key not in stale and not is_unknown(version)}


def standing_of(metastore: Metastore, slices: Iterable[Slice]) -> dict[Slice, Version]:
    """What is published of some slices."""
    return metastore.published_of(list(slices))


def costs(metastore: Metastore, tables: Iterable[TableNode]) -> dict[str, Cost]:
    """What a slice of each table takes, by unique_id, where there are receipts that say so."""
    nodes = list(tables)
    there = metastore.published_ds_of([node.table for node in nodes])
    newest = {node: there[node.table][-_NEWEST:] for node in nodes if there[node.table]}
    if not newest:
        return {}
    first, last = min(ds[0] for ds in newest.values())[:10], max(ds[-1] for ds in newest.values())
    versions = metastore.overview([node.table for node in newest], first, last)
    found = {}
    for node, slices in newest.items():
        receipts = [versions[node.table][ds].receipt for ds in slices if ds in versions[node.table]]
        seconds = [taken for each in receipts if (taken := seconds_between(each.started, each.finished)) is not None]
        if receipts:
            found[node.unique_id] = Cost(
                median(seconds) if seconds else 0.0,
                int(median(each.rows for each in receipts)),
                int(median(each.bytes for each in receipts)),
                len(receipts),
            )
    return found
