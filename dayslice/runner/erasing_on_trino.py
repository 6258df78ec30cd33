"""Erasure on Trino: a version is written anew by a CTAS, and takes the place of the one before in the catalog.

Whoever publishes is told by the catalog (`dayslice.metastore.erasing`) if somebody was erased since the query began. So
what is found to be nobody's, and has such rows, can be published by nobody any more: it goes, whoever wrote it. Who is
killed is gone on with: a version that was rewritten is found by the one that took its place, and its files as nobody's.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import trino

from dayslice.engines.suppression_on_trino import names_one, with_key
from dayslice.errors import DaysliceError, Refused, UsageError
from dayslice.metastore.interface import Catalog
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name, table_location, version_location, written_at
from dayslice.rules.graph import TableNode
from dayslice.rules.persons import persons_of
from dayslice.rules.receipts import is_import, rewritten_from
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.runner.erasing import Erased, Hashes, Moved, check_left, follow, remember
from dayslice.runner.project import Project
from dayslice.runner.rewriting_on_trino import named, write_anew
from dayslice.runner.version_rows import TrinoRows
from dayslice.store.choice import open_store

_LANDED = ".csv.zst"
_DAMAGED = "HIVE_BAD_DATA"


class TrinoEraser:
    """See `dayslice.runner.erasing.Eraser`."""

    def __init__(self, project: Project, rows: TrinoRows, dry_run: bool, since: datetime):
        self.project, self.rows, self.dry_run = project, rows, dry_run
        self.since = since
        """Whoever began later has the whole list."""
        self.catalog: Catalog = rows.catalog
        self.moved: Moved = {}

    def begin(self, nodes: Sequence[TableNode]) -> None:
        """Files that were to go are found as nobody's. Raises UsageError for a column by which nobody is found."""
        for node in nodes:
            if not self.catalog.published_ds(node.table):
                continue
            try:
                self._condition(named(node.table), dict.fromkeys(persons_of(node.meta) or {}, frozenset({""})))
            except UsageError as error:
                raise UsageError(f"{node.yaml}: {node}: {error}") from None

    def remove_replaced(self) -> None:
        """They went one by one."""

    def found(self, node: TableNode, hashes: Hashes) -> Iterator[tuple[Version, int]]:
        """The versions that have such rows: one query for all that are published, and one for each that is kept."""
        if not self.dry_run:
            self.catalog.settle(node.table)
        before = self.catalog.published(node.table)
        hit = self._published_with(node, hashes) if before else set()
        after = self.catalog.published(node.table)
        looked_at = {ds: version.id for ds, version in before.items() if ds in after and after[ds].id == version.id}
        history = self.catalog.history(node.table)
        remember(self.moved, history)
        for ds, versions in history.items():
            for version in reversed(versions):
                if (ds not in hit and version.id == looked_at.get(ds)) or not version.location:
                    continue
                if count := self._count(version, hashes):
                    yield version, count

    def rewrite(self, node: TableNode, version: Version, hashes: Hashes, count: int) -> None:
        """Written, checked, and shown by one call; then the files of the one before go."""
        kept = self.catalog.versions(version.slice)
        made = next((each for each in kept if version.id in rewritten_from(each.receipt)), None)
        if made is not None:  # by a run that was killed before the rest of it
            self.catalog.rewrite(version, made)
            self.catalog.drop_table(Table(STAGING_SCHEMA, stage_name(version.slice, made.id)))
        else:
            made, staged = self._written(node, version, hashes, count)
            if not self.catalog.rewrite(version, made, staged):
                self._remove(made)  # let go meanwhile
            if staged:
                self.catalog.drop_table(staged)
        self.moved[version.slice, version.id] = made
        self._remove(version)

    def _written(self, node: TableNode, version: Version, hashes: Hashes, count: int) -> tuple[Version, Table | None]:
        """The new version, and its stage table, which an import has not."""
        new_id = new_version_id()
        staged = None
        if is_import(version.receipt):
            from dayslice_importers.rewriting import rewritten  # noqa: PLC0415 - the importers' own format

            made = rewritten(self.project.target, version, new_id, hashes)
        else:
            staged = Table(STAGING_SCHEMA, stage_name(version.slice, new_id))
            made = write_anew(self.rows, version, new_id, hashes, staged)
        try:
            check_left(node, version, made.receipt, count, self._count(made, hashes))
        except Refused:
            if staged:
                self.catalog.drop_table(staged)
            self._remove(made)
            raise
        return follow(version, made, self.moved), staged

    def leftovers(self, node: TableNode, hashes: Hashes, done: Erased) -> None:
        """Folders of versions that the metastore does not know, and their stage tables."""
        store = open_store(table_location(self.project.target.warehouse, node.table))
        known = {each.id for versions in self.catalog.history(node.table).values() for each in versions}
        for folder in store.folders(""):
            begun = written_at(folder)
            if begun is None or folder in known or begun >= self.since:
                continue
            slices = _slices(node, store.folders(folder))
            if not slices:  # typed columns whose CSV has gone already
                slices = _slices(node, store.folders(f"{folder}/columns"))
            elif not any(self._holds(each, folder, hashes) for each in slices):
                continue
            if any(folder in [each.id for each in self.catalog.versions(slice)] for slice in slices):
                continue  # published meanwhile: the next pass sees it
            done.leftovers += 1
            if not self.dry_run:
                for slice in slices:
                    self.catalog.drop_table(Table(STAGING_SCHEMA, stage_name(slice, folder)))
                store.remove(folder)

    def _published_with(self, node: TableNode, hashes: Hashes) -> set[str]:
        """The ds of published slices that have such rows."""
        condition = self._condition(named(node.table), hashes)
        if condition is None:
            return set()
        found = self.rows.rows(with_key(f"select distinct ds from {named(node.table)} where {condition}"))
        return {str(ds) for (ds,) in found}

    def _count(self, version: Version, hashes: Hashes) -> int:
        """How many rows of a version are of somebody."""
        try:
            return self._counted(self.rows.relation(version, is_import(version.receipt)), hashes)
        finally:
            self.rows.drop_made()

    def _counted(self, relation: str, hashes: Hashes) -> int:
        condition = self._condition(relation, hashes)
        if condition is None:
            return 0
        return int(self.rows.rows(with_key(f"select count(*) from {relation} as t where {condition}"))[0][0])

    def _condition(self, relation: str, hashes: Hashes) -> str | None:
        types = self.rows.types(relation)
        found = {name: hashes[name] for name in types if name in hashes}
        return names_one(found, types) if found else None

    def _holds(self, slice: Slice, folder: str, hashes: Hashes) -> bool:
        """Whether files that no version owns have a row of somebody. Unreadable ones are taken to."""
        location = version_location(self.project.target.warehouse, slice, folder)
        store = open_store(location)
        files = [name.rpartition("/")[2] for name in store.sizes("")]
        if landed := [name for name in files if name.endswith(_LANDED)]:
            return self._landed_hold(location, landed, hashes)
        stage = Table(STAGING_SCHEMA, stage_name(slice, folder))
        try:
            if self.catalog.location(stage):
                return self._counted(named(stage), hashes) > 0
            if self.catalog.layout(slice.table) is None:
                return bool(files)
            return self._count(Version(slice, folder, Receipt(rows=0), location), hashes) > 0
        except trino.exceptions.TrinoQueryError as error:
            if error.error_name != _DAMAGED:  # a store that is away says nothing of what is in it
                raise
            return True  # what was never whole has no readers: it goes

    @staticmethod
    def _landed_hold(location: str, files: Collection[str], hashes: Hashes) -> bool:
        from dayslice_importers.rewriting import names_one as in_landed  # noqa: PLC0415 - the importers' own format

        store = open_store(location)
        try:
            return any(in_landed(store.read(name) or b"", hashes) for name in files)
        except DaysliceError:
            raise
        except Exception:  # what was never whole has no readers: it goes
            return True

    def _remove(self, version: Version) -> None:
        open_store(version.location.rpartition("/")[0]).remove("")


def _slices(node: TableNode, folders: Collection[str]) -> list[Slice]:
    return [Slice(node.table, each.removeprefix("ds=")) for each in folders if each.startswith("ds=")]
