"""Which followers have not seen what is published: of a run that was stopped, or was of their tables alone.

The local target's metastore numbers its changes, and a follower's receipt has the number that it read at. Hive and
Glue number the versions of one slice only: there nothing is known.
"""

from collections.abc import Iterable, Mapping

from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.followers import Follower
from dayslice.rules.made_from import made_from
from dayslice.rules.slices import Table, within
from dayslice.runner.project import Project


def old_followers(project: Project, followers: Iterable[Follower]) -> dict[Follower, list[str]]:
    """Those that hold rows and are older than what they read, or were never made; each with the ds that it lacks.

    One that is made of all slices at once lacks the newest ds. What a follower reads must be published by now.
    """
    asked = [each for each in followers if each.holds_rows]
    if not asked or not project.target.is_local:
        return {}
    with SQLiteMetastore(project.target.metastore_file) as metastore:
        found = {each: _lacks(project, metastore, each) for each in asked}
    return {each: lacks for each, lacks in found.items() if lacks}


def in_range(old: Mapping[Follower, list[str]], first: str, last: str) -> dict[Follower, list[str]]:
    """Those of a run from one ds to another: what keeps rows lacks only the ds of the range."""
    asked = {
        each: [ds for ds in lacks if first <= ds <= within(last)] if each.is_of_each_ds else lacks
        for each, lacks in old.items()
    }
    return {each: lacks for each, lacks in asked.items() if lacks}


def _lacks(project: Project, metastore: SQLiteMetastore, follower: Follower) -> list[str]:
    tables = [project.tables[each].table for each in follower.reads if each in project.tables]
    written = [metastore.written(table) for table in tables]
    if not all(written):
        return []
    content = metastore.content(Table(*follower.place))
    made = made_from(content.receipt) if content else None
    if content and made is None:
        return []
    if follower.is_of_each_ds:
        lacking = {ds for slices in written for ds in (made.missed(slices) if made else slices)}
        return sorted(ds for ds in lacking if all(ds in slices for slices in written))
    changed = max(standing.changed for table in tables if (standing := metastore.standing(table)))
    return [max(max(slices) for slices in written)] if made is None or changed > made.read_at else []
