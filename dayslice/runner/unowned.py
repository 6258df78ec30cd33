"""Tables of slices that stand in the warehouse and that no model and no import names any more."""

from dataclasses import dataclass

from dayslice.metastore.choice import open_metastore
from dayslice.rules.slices import Table
from dayslice.runner.project import Project


@dataclass(frozen=True)
class Unowned:
    """Such a table, and its published slices, oldest first."""

    table: Table
    slices: list[str]

    def __str__(self) -> str:
        count = len(self.slices)
        span = f", {self.slices[0]} to {self.slices[-1]}" if self.slices else ""
        return f"{self.table}: {count} slice{'s' * (count != 1)}{span}; no model owns it any more (docs/upkeep.md)"


def unowned_tables(project: Project) -> list[Unowned]:
    """Those in the schemas that the project's tables are in."""
    known = {node.table for node in project.tables.values()}
    schemas = sorted({project.target.schema, *(table.schema for table in known)})
    with open_metastore(project.target) as metastore:
        found = [table for schema in schemas for table in metastore.sliced_tables(schema, known)]
        return [Unowned(table, metastore.published_ds(table)) for table in found]
