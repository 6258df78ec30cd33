"""The warehouse as it was at a moment: a metastore beside, in which what was published then is published.

It lies in a folder of its own for as long as it is read. Views, latest views and conditions on ds work on it as on the
one of now. What retention or `unpublish` took away since is in neither.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dayslice.engines.target import Target
from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.metastore.sqlite import NO_DS, SQLiteMetastore
from dayslice.metastore.visible import Key, Visible, key_of
from dayslice.rules.moments import moment
from dayslice.rules.past import Kept, Then, then_published
from dayslice.rules.receipts import first_published, published_at
from dayslice.rules.slices import Slice, Table, Version
from dayslice.runner.narrowed import restricted_tables
from dayslice.services.superset.inside.dayslice_superset.statements import nodes_of

_KEPT = """
select v.schema, v.name, v.ds, v.id, v.sequence, coalesce(
        json_extract(v.receipt, '$."dayslice.published"'), json_extract(v.receipt, '$."dayslice.finished"')
    ),
    json_extract(v.receipt, '$."dayslice.first_published"'), p.id is not null
from versions v left join published p on p.schema = v.schema and p.name = v.name and p.ds = v.ds and p.id = v.id
order by v.schema, v.name, v.ds
"""
_SHOWN = 3


@dataclass(frozen=True)
class Past:
    """A warehouse of then. `lost`: slices of which it is not known what was published; `since`: from when on it is."""

    target: Target
    at: datetime
    zone: tzinfo
    lost: Mapping[Key, list[str]]
    since: Mapping[Key, str]
    rolled_back: Mapping[Key, int]

    def look(self, connection: Any, sql: str, tell: Callable[[str], None]) -> None:
        """Refuse a statement that may read what is lost, and say how far the past of its tables is known."""
        with SQLiteMetastore(self.target.metastore_file) as metastore:
            visible = Visible(connection, metastore)
            visible.references("")
            read = dict(self._reads(visible, connection, sql))
        for key, lost in read.items():
            if lost:
                raise self.refused(key, lost)
        for key in read:
            tell(self.how_far(key))

    def refuse(self, table: Table, ds: str | None) -> None:
        """Refuse to read a table, or one slice of it, of which it is not known what was published."""
        key = key_of(table)
        lost = [each for each in self.lost.get(key, []) if ds is None or each == ds]
        if lost:
            raise self.refused(key, lost)

    def refused(self, key: Key, lost: list[str]) -> UsageError:
        """Why a table cannot be read as it was."""
        named = ", ".join(lost[:_SHOWN]) + (f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else "")
        what = f"the slices {named}" if len(lost) > 1 else f"the slice {named}" if lost[0] else "it"
        then = self._clock(self.at)
        return UsageError(
            f"{'.'.join(key)}: what was published at {then} of {what} is not kept any more; all of it is "
            f"known from {self._text(self.since[key])} on: ask for that time, or for other slices by a condition on ds"
        )

    def how_far(self, key: Key) -> str:
        """How far back it is known what was published of a table."""
        far = f"back to {self._text(self.since[key])}" if self.since.get(key) else "from its first version on"
        rolled = self.rolled_back.get(key)
        more = f"; {rolled} of its slices were rolled back at a time that is not known" if rolled else ""
        return f"{'.'.join(key)} as of {self._clock(self.at)}; what was published of it is known {far}{more}"

    def _reads(self, visible: Visible, connection: Any, sql: str) -> Iterator[tuple[Key, list[str]]]:
        """The tables that a statement reads, each with what it may read of what is lost."""
        nodes = nodes_of(connection, sql)
        own = {each["key"].lower() for node in nodes for each in (node.get("cte_map") or {}).get("map", [])}
        conditions = {node["query_location"]: reaches for node, reaches in restricted_tables(nodes)}
        found: dict[Key, set[str]] = {}
        for node in nodes:
            if node.get("type") != "BASE_TABLE" or (not node["schema_name"] and node["table_name"].lower() in own):
                continue
            key = (node["schema_name"] or self.target.schema).lower(), node["table_name"].lower()
            reaches = conditions.get(node["query_location"], [])
            for each in self._below(visible, key, set()):
                lost = self._lost_of(visible, key, each)
                reached = lost if each != key else [ds for ds in lost if all(reach.may(ds) for reach in reaches)]
                found.setdefault(each, set()).update(reached)
        yield from ((key, sorted(lost)) for key, lost in found.items())

    def _below(self, visible: Visible, key: Key, seen: set[Key]) -> Iterator[Key]:
        """The tables under a name, which may be a view's."""
        standing = visible.standing.get(key)
        if key in seen:
            return
        seen.add(key)
        if standing is not None and standing.kind == "latest":
            yield from self._below(visible, key_of(Table(*json.loads(standing.definition))), seen)
        elif standing is not None and standing.kind == "view":
            for each in visible.references(standing.definition):
                yield from self._below(visible, each, seen)
        elif key in self.since or key in self.lost:
            yield key

    def _lost_of(self, visible: Visible, asked: Key, key: Key) -> list[str]:
        """What is lost of a table, as the name that was asked for reads it: a latest view reads the newest only."""
        lost = self.lost.get(key, [])
        standing = visible.standing.get(asked)
        if standing is None or standing.kind != "latest" or not lost:
            return lost
        newest = visible.metastore.newest_ds(Table(*json.loads(standing.definition))) or ""
        return [ds for ds in lost if ds > newest]

    def _text(self, text: str) -> str:
        found = moment(text)
        return self._clock(found, seconds=True) if found else "an unknown time"

    def _clock(self, at: datetime, seconds: bool = False) -> str:
        return f"{at.astimezone(self.zone):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}}"


@contextmanager
def past_of(target: Target, at: datetime, zone: tzinfo) -> Iterator[Past]:
    """The local warehouse as it was."""
    assert target.database_file is not None
    if not target.metastore_file.exists():
        raise DaysliceError(f"nothing is published in {target.home} yet: try dayslice demo, or dayslice import --help")
    with TemporaryDirectory(prefix="dayslice-past-") as folder:
        # Views name the file by its own name.
        own = replace(target, database_file=Path(folder) / target.database_file.name)
        with SQLiteMetastore(target.metastore_file) as now, closing(sqlite3.connect(own.metastore_file)) as copy:
            now.connection.backup(copy)
        with SQLiteMetastore(own.metastore_file) as metastore:
            slices = {key: then_published(kept, at) for key, kept in _kept(metastore)}
            _show(metastore, slices)
        yield Past(own, at, zone, *_facts(slices))


def version_then(target: Target, slice: Slice, at: datetime) -> Version:
    """The version of a slice that was published at a moment, on any target. Raises UsageError where it is not known."""
    with open_metastore(target) as metastore:
        versions = {each.id: each for each in metastore.versions(slice)}
        published = metastore.published(slice.table, [slice.ds]).get(slice.ds)
    then = then_of(list(versions.values()), published, at) if versions else Then(None)
    if then.id is None:
        why = f"is not kept any more; it is known from {then.since} on" if then.is_lost else "was nothing"
        raise UsageError(f"{slice}: what was published at {at.isoformat(timespec='minutes')} {why}")
    return versions[then.id]


def then_of(versions: Sequence[Version], published: Version | None, at: datetime) -> Then:
    """What was published of a slice at a moment, by its kept versions as any metastore gives them."""
    kept = [
        Kept(
            each.id,
            each.sequence,
            published_at(each.receipt),
            first_published(each.receipt),
            each.id == (published or each).id,
        )
        for each in versions
    ]
    # Hive and Glue number turns, of which not each is a version's.
    return then_published(kept, at, is_numbered_closely=False)


def _kept(metastore: SQLiteMetastore) -> Iterator[tuple[tuple[str, str, str], list[Kept]]]:
    rows = metastore.connection.execute(_KEPT).fetchall()
    for key, of in groupby(rows, key=lambda row: row[:3]):
        yield key, [Kept(id, number, fin or "", first or "", bool(stands)) for *_, id, number, fin, first, stands in of]


def _show(metastore: SQLiteMetastore, slices: Mapping[tuple[str, str, str], Then]) -> None:
    """Publish what was published then, and nothing else. A table of which nothing was there is not there."""
    with metastore.connection:
        metastore.connection.execute("begin")
        metastore.connection.execute("delete from published")
        metastore.connection.executemany(
            "insert into published select schema, name, ds, id, columns, written from versions "
            "where schema = ? and name = ? and ds = ? and id = ?",
            [(*key, then.id) for key, then in slices.items() if then.id],
        )
        # One of which something is lost stays, so that views on it lead to that.
        there = {key[:2] for key, then in slices.items() if then.id or then.is_lost}
        metastore.connection.executemany(
            "delete from tables where schema = ? and name = ?", [*{key[:2] for key in slices} - there]
        )
        metastore.connection.execute("update state set value = value + 1 where key = 'sequence'")
        metastore.connection.execute("update tables set changed = (select value from state where key = 'sequence')")


def _facts(
    slices: Mapping[tuple[str, str, str], Then],
) -> tuple[dict[Key, list[str]], dict[Key, str], dict[Key, int]]:
    lost: dict[Key, list[str]] = {}
    since: dict[Key, str] = {}
    rolled_back: dict[Key, int] = {}
    for (schema, name, ds), then in slices.items():
        key = key_of(Table(schema, name))
        since[key] = max(since.get(key, ""), then.since)
        if then.is_lost:
            lost.setdefault(key, []).append("" if ds == NO_DS else ds)
        if then.was_rolled_back:
            rolled_back[key] = rolled_back.get(key, 0) + 1
    return lost, since, rolled_back
