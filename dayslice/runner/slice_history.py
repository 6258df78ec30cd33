"""The versions of a slice in their order, each compared with the one before by their receipts alone."""

from dataclasses import asdict, dataclass
from typing import Any

from dayslice.metastore.choice import open_metastore
from dayslice.rules.differences import are_known_equal
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import fingerprint_of, source_of
from dayslice.rules.slices import Slice, Version
from dayslice.runner.diffs import Found, why
from dayslice.runner.project import Project


@dataclass(frozen=True)
class Event:
    """One version. `what`: what is other in it than in the version before."""

    name: str
    id: str
    published: bool
    finished: str
    run: str
    rows: int
    bytes: int
    why: tuple[str, ...]
    what: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def history_of(project: Project, node: TableNode, ds: str) -> list[Event]:
    """The kept versions of a slice, oldest first."""
    with open_metastore(project.target) as metastore:
        versions = sorted(metastore.versions(Slice(node.table, ds)), key=lambda each: each.age)
        published = metastore.published(node.table, [ds]).get(ds)
    found: list[Event] = []
    for n, version in enumerate(versions):
        before = versions[n - 1] if n else None
        found.append(
            Event(
                f"v{version.sequence}",
                version.id,
                published is not None and version.id == published.id,
                version.receipt.finished,
                version.receipt.run,
                version.receipt.rows,
                version.receipt.bytes,
                _why(project, node, before, version),
                what_changed(before, version),
            )
        )
    return found


def what_changed(before: Version | None, version: Version) -> tuple[str, ...]:
    """What is other than in the version before, as far as receipts say."""
    if before is None:
        return ()
    if are_known_equal(before, version):
        return ("nothing",)
    found = []
    if rows := version.receipt.rows - before.receipt.rows:
        found.append(f"{rows:+,} rows")
    first, second = fingerprint_of(before.receipt), fingerprint_of(version.receipt)
    columns = first.changed_columns(second) if first and second else None
    if columns:
        found.append(f"columns {', '.join(columns)}")
    elif columns == [] and first and second and first.columns:
        found.append("the same values in other rows")
    return tuple(found or ["not known: dayslice diff reads the rows"])


def _why(project: Project, node: TableNode, before: Version | None, version: Version) -> tuple[str, ...]:
    if before is None:
        return ("the first that is kept" if version.sequence > 1 else "the first",)
    reasons = why(Found(project, node, before), Found(project, node, version))
    if reasons:
        return reasons
    snapshot = source_of(version.receipt).get("snapshot", "")
    return (f"imported again{f' from snapshot {snapshot}' if snapshot else ''}",)
