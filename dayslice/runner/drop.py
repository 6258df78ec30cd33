"""Drops what stands in the warehouse and no file of the project makes any more: tables of slices, plain tables, views.

First the metastore forgets it, then its files go. A run that was killed in between is gone on with by the same command.
"""

import re
from dataclasses import dataclass
from typing import cast

from dayslice.errors import UsageError
from dayslice.metastore.announcements import announce_gone
from dayslice.metastore.choice import open_metastore, tell_readers
from dayslice.metastore.interface import Catalog, Metastore
from dayslice.metastore.ownership import check_owner
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.graph import is_import, table_of
from dayslice.rules.meetings import BESIDE, Made, made_in
from dayslice.rules.slices import Slice, Table
from dayslice.runner.project import Project
from dayslice.store.choice import open_store

FILES = "files"
"""The kind of what a drop that was killed left: nothing in the metastore."""


@dataclass(frozen=True)
class LeftOver:
    """Something that nothing of the project makes. `kind`: slices, table, view, or files."""

    table: Table
    kind: str
    slices: tuple[str, ...] = ()
    bytes: int = 0
    place: str = ""
    """Where its files lie."""

    def __str__(self) -> str:
        said = {"slices": f"{len(self.slices)} slice{'s' * (len(self.slices) != 1)}", FILES: "files only"}
        span = f", {self.slices[0]} to {self.slices[-1]}" if self.slices else ""
        size = f", {self.bytes:,} bytes in {self.place}" if self.bytes else ""
        return f"{self.table}: {said.get(self.kind, f'a {self.kind}')}{span}{size}"


def left_over(project: Project) -> list[LeftOver]:
    """All of it in the schemas that the project's tables are in, by name. What others land is not ours."""
    made = list(made_in(project.graph))
    known = {_key(each.table) for each in made} | _landed_by_others(project)
    schemas = sorted({project.target.schema, *(each.table.schema for each in made)})
    with open_metastore(project.target) as metastore:
        found = {table: kind for schema in schemas for table, kind in metastore.kinds(schema).items()}
        return [
            _looked_at(project, metastore, table, kind)
            for table, kind in sorted(found.items(), key=lambda each: str(each[0]))
            if _key(table) not in known
        ]


def find_left_over(project: Project, name: str) -> list[LeftOver]:
    """A table by `schema.name`, with the views beside it. Raises UsageError where it is owned, or is not there."""
    schema, _, own = name.rpartition(".")
    table = Table(schema or project.target.schema, own)
    for each in made_in(project.graph):
        if _key(each.table) == _key(table):
            raise UsageError(f"{table} is not left over: {_owner(each)} makes it; remove that first (docs/upkeep.md)")
    if _key(table) in _landed_by_others(project):
        raise UsageError(
            f"{table} is landed by somebody else, as a source of this project says: it is not ours to drop"
        )
    there = {_key(each.table): each for each in left_over(project)}
    if found := there.get(_key(table)):
        beside = [there.get((found.table.schema.lower(), f"{found.table.name}{end}".lower())) for end in BESIDE]
        return [found, *(each for each in beside if each and each.kind == "view")]
    with open_metastore(project.target) as metastore:
        places = _places(project, metastore, table)
    if size := sum(_size(place) for place in places):
        return [LeftOver(table, FILES, (), size, " and ".join(places))]
    known = ", ".join(str(each.table) for each in there.values())
    raise UsageError(f"there is no {table} that nothing owns; left over are: {known or 'none'}")


def drop(project: Project, left: LeftOver) -> None:
    """Drop one. Whoever reads it at this moment fails."""
    with open_metastore(project.target) as metastore:
        if isinstance(metastore, SQLiteMetastore):
            check_owner(metastore, project.target.warehouse)
        places = _places(project, metastore, left.table)
        metastore.drop(left.table)
    for ds in left.slices:
        announce_gone(project.target.home, Slice(left.table, ds))
    tell_readers(project.target)
    if left.bytes:
        for place in places:
            open_store(place).remove("")


def _looked_at(project: Project, metastore: Metastore, table: Table, kind: str) -> LeftOver:
    if kind == "view":
        return LeftOver(table, kind)
    slices = tuple(metastore.published_ds(table)) if kind == "slices" else ()
    sizes = {place: _size(place) for place in _places(project, metastore, table)}
    return LeftOver(table, kind, slices, sum(sizes.values()), " and ".join(place for place in sizes if sizes[place]))


def _places(project: Project, metastore: Metastore, table: Table) -> list[str]:
    """Where its files lie: its own folder, and where an engine puts a plain table, which it makes anew in no other."""
    own = open_store(project.target.warehouse).location(_folder(table))
    default = None if isinstance(metastore, SQLiteMetastore) else cast(Catalog, metastore).default_location(table)
    return list(dict.fromkeys([own, *([re.sub("^s3[an]://", "s3://", default)] if default else [])]))


def _size(place: str) -> int:
    return sum(open_store(place).sizes("").values())


def _landed_by_others(project: Project) -> set[tuple[str, str]]:
    return {_key(table_of(node)) for node in project.graph["sources"].values() if not is_import(node)}


def _owner(made: Made) -> str:
    return f"{made.said} ({made.file})"


def _folder(table: Table) -> str:
    return f"{table.schema}/{table.name}"


def _key(table: Table) -> tuple[str, str]:
    """Engines fold cases."""
    return table.schema.lower(), table.name.lower()
