"""Hive's or Glue's catalog as a run that publishes together sees it: the versions that it has staged lie over it.

They are kept in a file of that run alone (`dayslice.metastore.batch`), and their stage tables stay, which later slices
of the run read.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dayslice.metastore.interface import Catalog
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name
from dayslice.rules.slices import Slice, Table, Version, by_table


class Overlay:
    """See `dayslice.metastore.interface.Catalog`: what is not here is the catalog's own."""

    def __init__(self, catalog: Catalog, file: Path):
        self.catalog = catalog
        self.file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self.catalog, name)

    def published(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """What is staged, and what is published else."""
        return {**self.catalog.published(table, ds), **self.staged(table, ds)}

    def published_ds(self, table: Table) -> list[str]:
        """Every ds that is staged or published, oldest first."""
        return sorted({*self.catalog.published_ds(table), *self.staged(table)})

    def overview(self, tables: Collection[Table], first: str, last: str) -> dict[Table, dict[str, Version]]:
        """What is staged, and what is published else, of many tables."""
        with SQLiteMetastore(self.file) as own:
            staged: Mapping[Table, dict[str, Version]] = own.overview(tables, first, last)
        found = self.catalog.overview(tables, first, last)
        return {table: {**slices, **staged.get(table, {})} for table, slices in found.items()}

    def published_of(self, slices: Collection[Slice]) -> dict[Slice, Version]:
        """What is staged, and what is published else, of some slices of any tables."""
        found = self.catalog.published_of(slices)
        for table, wanted in by_table(slices).items():
            found.update({version.slice: version for version in self.staged(table, wanted).values()})
        return found

    def published_ds_of(self, tables: Collection[Table]) -> dict[Table, list[str]]:
        """Every ds that is staged or published, of many tables."""
        found = self.catalog.published_ds_of(tables)
        return {table: sorted({*slices, *self.staged(table)}) for table, slices in found.items()}

    def versions(self, slice: Slice) -> list[Version]:
        """The staged version, which will be the newest, and all that are kept."""
        kept = self.catalog.versions(slice)
        newest = max((each.sequence for each in kept), default=0)
        return [*(replace(each, sequence=newest + 1) for each in self.staged(slice.table, [slice.ds]).values()), *kept]

    def publish(self, version: Version, staged: Table | None = None) -> None:
        """Stage a version: it is published with all others of the run."""
        stood = self.catalog.published(version.slice.table, [version.slice.ds]).get(version.slice.ds)
        with SQLiteMetastore(self.file) as own:
            own.stage(version, stood.id if stood else "")

    def drop_table(self, table: Table) -> None:
        """Drop a table, but for the stages that later slices read."""
        if table.schema != STAGING_SCHEMA or not self._is_staged(table):
            self.catalog.drop_table(table)

    def staged(self, table: Table, ds: Collection[str] | None = None) -> dict[str, Version]:
        """The staged versions of a table, by ds."""
        with SQLiteMetastore(self.file) as own:
            return own.published(table, ds)

    def _is_staged(self, table: Table) -> bool:
        with SQLiteMetastore(self.file) as own:
            made = [each.version for each in own.since_copied()]
        return table.name in {stage_name(each.slice, each.id) for each in made if each}
