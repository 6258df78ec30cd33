"""Erasure: every row of a person goes, from all slices, kept versions, stages and landed files, and stays away.

First the person is on the list that imports and builds leave out, so that nobody is brought back meanwhile. Then each
version that has such a row is written anew, put in the place of the one before in one step, and that one's files go at
once. Who is killed is gone on with: what is done is done.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from dayslice.engines.file_lock import FileLock
from dayslice.errors import Refused, UsageError
from dayslice.metastore import suppressed
from dayslice.metastore.batch import discard_left
from dayslice.metastore.choice import open_metastore, tell_readers
from dayslice.metastore.ownership import check_owner
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.graph import TableNode
from dayslice.rules.persons import persons_of
from dayslice.runner.erasing import Erased, Eraser, Hashes
from dayslice.runner.erasing_locally import LocalEraser
from dayslice.runner.erasing_on_trino import TrinoEraser
from dayslice.runner.project import Project
from dayslice.runner.version_rows import LocalRows, TrinoRows, open_rows

FOLDER = "erasures"
PASSES = 5


@dataclass(frozen=True)
class Receipt:
    """What an erasure did. Whom it was about is not in it."""

    id: str
    kind: str
    started: str
    finished: str
    tables: list[Erased]


def tables_of(project: Project) -> list[TableNode]:
    """The tables that name persons, upstream first."""
    return [node for node in project.tables.values() if persons_of(node.meta)]


def check_erasable(project: Project, kind: str | None) -> None:
    """Raises UsageError where nobody can be erased here, or nobody of this kind of name."""
    kinds = sorted({each for node in project.tables.values() for each in (persons_of(node.meta) or {}).values()})
    if kind is not None and kind not in kinds:
        known = f"known are {', '.join(kinds)}" if kinds else "no table has `person` in its meta"
        raise UsageError(f"--person {kind}=…: no column names a person by {kind}; {known}")


def erase(
    project: Project, kind: str | None, value: str | None, dry_run: bool, heard: Callable[[Erased], None]
) -> Receipt:
    """Erase a person, or, without one, all who are on the list, once more. With `dry_run` nothing is changed.

    `heard` is told of each table. The receipt is kept in the home, unless nothing was found.
    """
    check_erasable(project, kind)
    started = datetime.now(UTC)
    known, since = _listed(project, kind, value, dry_run, started)
    with _alone(project.target.home, dry_run), _eraser(project, dry_run, since) as eraser:
        found = _Run(project, eraser, known, dry_run).all_tables()
    for each in found:
        heard(each)
    receipt = Receipt(
        f"e{started:%Y%m%dT%H%M%S}",
        kind or "all on the list",
        started.isoformat(timespec="seconds"),
        datetime.now(UTC).isoformat(timespec="seconds"),
        found,
    )
    if found and not dry_run:
        tell_readers(project.target)
        file = project.target.home / FOLDER / f"{receipt.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(receipt), indent=2))
    return receipt


def _listed(
    project: Project, kind: str | None, value: str | None, dry_run: bool, started: datetime
) -> tuple[suppressed.Hashes, datetime]:
    """Put the person on the list. Gives whom to look for, and since when the list is as it is."""
    since = started
    with open_metastore(project.target) as metastore:
        suppressed.check_key(metastore)
        if isinstance(metastore, SQLiteMetastore):
            check_owner(metastore, project.target.warehouse)
        if kind is None or value is None:
            known = suppressed.read(metastore)
        else:
            known = {kind: suppressed.hashes_of(project.target, value)}
            if not dry_run:
                suppressed.add(metastore, project.target, kind, known[kind])
        if isinstance(metastore, SQLiteMetastore):
            since = metastore.suppressed_since() or started
    return known, since


@contextmanager
def _eraser(project: Project, dry_run: bool, since: datetime) -> Iterator[Eraser]:
    with open_rows([project.target]) as rows:
        if isinstance(rows, LocalRows):
            yield LocalEraser(project, rows, FOLDER, dry_run, since)
        else:
            assert isinstance(rows, TrinoRows)
            yield TrinoEraser(project, rows, dry_run, since)


@contextmanager
def _alone(home: Path, dry_run: bool) -> Iterator[None]:
    if dry_run:
        yield
        return
    (home / FOLDER).mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / FOLDER / "running", wait_seconds=5)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Run:
    def __init__(self, project: Project, eraser: Eraser, known: suppressed.Hashes, dry_run: bool):
        self.project, self.eraser, self.known, self.dry_run = project, eraser, known, dry_run

    def all_tables(self) -> list[Erased]:
        """Once over all; and again until nothing is found, as others publish meanwhile what they had begun before."""
        if not self.dry_run:
            self.eraser.begin(tables_of(self.project))
            if live := discard_left(self.project.target):
                raise Refused(
                    f"the run {live[0]} is staging slices to publish them together, and may have such rows: when it "
                    "is done, run dayslice erase --again"
                )
        found: dict[str, Erased] = {}
        for _ in range(1 if self.dry_run else PASSES):
            new = [each for node in tables_of(self.project) if not (each := self._table(node)).is_nothing]
            for each in new:
                total = found.setdefault(each.table, Erased(each.table))
                total.slices = sorted({*total.slices, *each.slices})
                total.versions += each.versions
                total.rows += each.rows
                total.leftovers += each.leftovers
                total.under_way = each.under_way
            if not any(each.versions or each.leftovers for each in new):
                break
        return list(found.values())

    def _table(self, node: TableNode) -> Erased:
        done = Erased(node.name)
        hashes: Hashes = {
            column: self.known[kind] for column, kind in (persons_of(node.meta) or {}).items() if kind in self.known
        }
        if not hashes:
            return done
        for version, count in self.eraser.found(node, hashes):
            if not self.dry_run:
                self.eraser.rewrite(node, version, hashes, count)
            done.slices = list(dict.fromkeys([*done.slices, version.slice.ds]))
            done.versions += 1
            done.rows += count
        self.eraser.remove_replaced()
        self.eraser.leftovers(node, hashes, done)
        return done


def refuse_unfinished(receipt: Receipt) -> None:
    """Raises Refused where somebody is still writing rows of the person."""
    under_way = [each for each in receipt.tables if each.under_way]
    if under_way:
        raise Refused(
            f"{sum(each.under_way for each in under_way)} slices with such rows are being made at this moment, of "
            f"{', '.join(each.table for each in under_way)}: when they are done, run dayslice erase --again"
        )
