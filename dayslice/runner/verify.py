"""Looks at the files of every version that is kept, and says which are damaged."""

from collections.abc import Iterator
from dataclasses import dataclass

from dayslice.metastore.choice import open_metastore
from dayslice.metastore.integrity import problems, written_files
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.graph import TableNode
from dayslice.rules.slices import Table, Version
from dayslice.runner.project import Project


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong with a version."""

    table: str
    ds: str
    version: str
    published: bool
    problem: str


@dataclass
class Verified:
    """How much was looked at. `unsummed`: files whose content was to be read, and has no checksum to compare with."""

    versions: int = 0
    files: int = 0
    bytes: int = 0
    unsummed: int = 0

    def add(self, version: Version, deep: bool) -> None:
        """One more version is looked at."""
        written = written_files(version)
        self.versions += 1
        self.files += len(written) or version.receipt.files
        self.bytes += sum(each.size or 0 for each in written) or version.receipt.bytes
        self.unsummed += sum(each.checksum is None for each in written) if deep else 0


def verify(project: Project, tables: list[TableNode], deep: bool, seen: Verified) -> Iterator[Damage]:
    """Compare files with receipts: names and sizes, and with `deep` the content by its checksums."""
    for node in tables:
        with open_metastore(project.target) as metastore:
            published = metastore.published(node.table)
            history = metastore.history(node.table)
        for ds, versions in history.items():
            for version in versions:
                seen.add(version, deep)
                shown = ds in published and published[ds].id == version.id
                for problem in problems(version, deep, project.target.warehouse):
                    yield Damage(node.name, ds, version.id, shown, problem)


def verify_whole_tables(project: Project, deep: bool, seen: Verified) -> Iterator[Damage]:
    """The same for what the local target keeps without slices: seeds, plain tables, snapshots."""
    if not project.target.is_local:
        return
    with SQLiteMetastore(project.target.metastore_file) as metastore:
        kept = [metastore.content(each.table) for each in metastore.all_standing() if each.kind == "table"]
    for version in filter(None, kept):
        seen.add(version, deep)
        for problem in problems(version, deep):
            yield Damage(_shown(version.slice.table, project), "", version.id, True, problem)


def _shown(table: Table, project: Project) -> str:
    return table.name if table.schema == project.target.schema else str(table)
