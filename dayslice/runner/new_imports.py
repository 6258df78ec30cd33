"""Writes the YAML of new imports, one table or all that a pattern fits."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dayslice_importers.connections import connect
from dayslice_importers.declaration import source_place
from dayslice_importers.discovery import discover, table_names
from dayslice_importers.names import engine_names
from dayslice_importers.scaffold import import_yaml, references_of

from dayslice.errors import UsageError
from dayslice.rules.graph import TableNode, merged_meta
from dayslice.rules.paths import checked
from dayslice.runner.imports import start_sources
from dayslice.runner.project import Project

Said = tuple[str, bool]
"""A line for the person, and whether it tells of a table that could not be written."""


@dataclass(frozen=True)
class Wanted:
    """A new import's name, or a pattern of names: `erp.orders`, `erp.order*`."""

    source: str
    table: str

    @classmethod
    def parse(cls, name: str) -> "Wanted":
        """Raises UsageError for what is neither."""
        source, _, table = name.partition(".")
        if not source or not table or "." in table or set(source) & set("*?"):
            raise UsageError(f"{name!r} names no import: write source.table, as in erp.orders, or 'erp.*'")
        return cls(checked(source, "the source"), checked(table, "the table"))

    @property
    def is_pattern(self) -> bool:
        """Whether it may fit several tables."""
        return bool(set(self.table) & set("*?"))


class NewImports:
    """Writes what is wanted, of one place in PostgreSQL. `place` is a schema, or a schema and a table."""

    def __init__(self, project: Project, connection: str | None, place: str | None, on: str | None):
        self.project = project
        self.connection = connection
        self.schema, _, self.table = (place or "public").partition(".")
        self.on = on

    def write(self, wanted: Wanted) -> Iterator[Said]:
        """Write the files. Raises UsageError where there is nothing to write."""
        meta = self._source_meta(wanted.source)
        meta["connection"] = self.connection or meta.get("connection", wanted.source)
        start_sources(self.project.target.home, [meta["connection"]])
        with connect(meta["connection"], self.project.target.home) as session:
            if not wanted.is_pattern:
                yield from self._write_one(session, wanted.source, wanted.table, self.table or wanted.table, meta)
                return
            known = {source_place(node): node for node in self._alike(meta)}
            tables = [each for each in table_names(session, self.schema) if fnmatchcase(each, wanted.table)]
            if not tables:
                raise UsageError(
                    f"no table of schema {self.schema} that can be read fits {wanted.source}.{wanted.table}"
                )
            names = engine_names(tables)
            for table in tables:
                if node := known.get((self.schema, table)):
                    yield f"{node} is an import already, in {node.path}", False
                    continue
                try:
                    yield from self._write_one(session, wanted.source, names[table], table, meta)
                except UsageError as error:
                    yield str(error), True

    def _write_one(self, session: Any, source: str, name: str, table: str, meta: dict[str, Any]) -> Iterator[Said]:
        file = self.project.root / "models" / source / f"{name}.yml"
        self._check_new(f"{source}.{name}", file)
        own = {"slice": "events", "on": self.on} if self.on else {}
        own |= {"source_schema": self.schema} if self.schema != "public" else {}
        own |= {"source_table": table} if table != name else {}
        found = discover(session, self.schema, table)
        references, untested = references_of(session, f"{source}.{name}", found, self._alike(meta))
        if self.on and self.on not in [column.name for column in found.columns]:
            raise UsageError(f"--events-on: {found} has no column {self.on!r}")
        text = import_yaml(source, name, found, meta, own, references)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        place = file.relative_to(self.project.root)
        yield f"{place}: {len(found.columns)} columns; try dayslice import {source}.{name} --ds …", False
        for key in untested:
            yield f"{key.column} references {key.schema}.{key.table}, which is no import: nothing tests that yet", False

    def _alike(self, meta: dict[str, Any]) -> list[TableNode]:
        return [node for node in self.project.imports if node.meta["connection"] == meta["connection"]]

    def _check_new(self, name: str, file: Path) -> None:
        """Raises UsageError for an import or a file that is there."""
        for node in self.project.imports:
            if node.name == name:
                raise UsageError(f"{node} is an import already, in {node.path}")
        if file.exists():
            raise UsageError(f"{file.relative_to(self.project.root)} is there already")

    def _source_meta(self, source: str) -> dict[str, Any]:
        """What other tables of a source say of it; {} for a new source."""
        for node in self.project.graph["sources"].values():
            if node["source_name"] == source:
                return {key: merged_meta(node)[key] for key in node.get("source_meta") or {}}
        return {}
