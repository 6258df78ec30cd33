"""Which published slices stand on something that was made anew, and so have to be made again. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import UTC, tzinfo

from dayslice.rules.graph import TableNode
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Table
from dayslice.rules.waits import Wait, read_of_published

Key = tuple[str, str]
"""A table's unique_id and a ds."""


def readers_of(tables: Mapping[str, TableNode], begin: Iterable[str]) -> set[str]:
    """Every table that reads one of these (unique_ids), directly or not. `tables`: all, upstream first."""
    found = set(begin)
    for node in tables.values():
        if any(wait.upstream in found for wait in node.waits):
            found.add(node.unique_id)
    return found - set(begin)


def made_stale(
    tables: Mapping[str, TableNode],
    changed: Iterable[Key],
    published: Mapping[Table, Set[str]],
    zone: tzinfo = UTC,
    holds: Callable[[Key, Key], bool] = lambda reader, read: False,
) -> dict[Key, Key]:
    """The published slices that read a changed one, or one that is stale itself; each with what it reads.

    `tables`: all of the project, upstream first. `published`: the ds values that stand, by table. The changed ones
    themselves are none of them. Ranges, other grains and a table's own earlier slices are followed.

    `holds`: whether a slice that stands holds what a changed one has now, so that the change is none for it.
    """
    changed = list(changed)
    anew = set(changed)
    touched: dict[str, set[str]] = {}
    for unique_id, ds in changed:
        touched.setdefault(unique_id, set()).add(ds)
    found: dict[Key, Key] = {}
    for node in tables.values():
        own = touched.get(node.unique_id, set())
        waits = [wait for wait in node.waits if wait.upstream in touched or wait.upstream == node.unique_id]
        standing = {
            wait.upstream: sorted({*published.get(tables[wait.upstream].table, ()), *touched.get(wait.upstream, ())})
            for wait in waits
            if wait.asof
        }
        for ds in sorted(published.get(node.table, ())) if waits else ():
            if ds in own:
                continue
            causes = _causes(tables, node, waits, ds, touched, standing, zone)
            reader = node.unique_id, ds
            cause = next((each for each in causes if not (each in anew and holds(reader, each))), None)
            if cause is not None:
                found[node.unique_id, ds] = cause
                own = touched.setdefault(node.unique_id, own)
                own.add(ds)
    return found


def _causes(
    tables: Mapping[str, TableNode],
    node: TableNode,
    waits: Iterable[Wait],
    ds: str,
    touched: Mapping[str, Set[str]],
    standing: Mapping[str, list[str]],
    zone: tzinfo,
) -> Iterator[Key]:
    for wait in waits:
        changed = touched.get(wait.upstream, frozenset())
        if not changed:
            continue
        settings = tables[wait.upstream].settings
        itself = wait.upstream == node.unique_id
        kind = Kind.CUMULATIVE if itself else settings.kind
        for read in read_of_published(wait, ds, settings.grain, kind, standing.get(wait.upstream, ()), zone):
            if read in changed and not (itself and read >= ds):
                yield wait.upstream, read
