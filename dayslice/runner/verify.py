"""Looks at the files of every version that is kept, and says which are damaged."""

from collections.abc import Iterator
from dataclasses import dataclass

from dayslice.metastore.choice import open_metastore
from dayslice.metastore.integrity import problems
from dayslice.rules.graph import TableNode
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
    """How much was looked at."""

    versions: int = 0
    files: int = 0
    bytes: int = 0


def verify(project: Project, tables: list[TableNode], deep: bool, seen: Verified) -> Iterator[Damage]:
    """Compare files with receipts: names and sizes, and with `deep` the content by its checksums."""
    for node in tables:
        with open_metastore(project.target) as metastore:
            published = metastore.published(node.table)
            history = metastore.history(node.table)
        for ds, versions in history.items():
            for version in versions:
                seen.versions += 1
                seen.files += version.receipt.files
                seen.bytes += version.receipt.bytes
                shown = ds in published and published[ds].id == version.id
                for problem in problems(version, deep, project.target.warehouse):
                    yield Damage(node.name, ds, version.id, shown, problem)
