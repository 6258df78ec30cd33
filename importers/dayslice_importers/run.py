"""Imports slices: COPY, land, count, publish. All tables of one connection are read in one snapshot."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError, Refused, UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.metastore.suppressed import left_out
from dayslice.rules.calendar import parse_ds, shift
from dayslice.rules.graph import TableNode
from dayslice.rules.open_periods import is_asked_for, refuse_open_period
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Slice
from dayslice.rules.snapshots import snapshot_slices
from dayslice.store.choice import open_store
from dayslice_importers.cleaning import Begun
from dayslice_importers.connections import connect
from dayslice_importers.copying import Streams
from dayslice_importers.engines.choice import open_engine
from dayslice_importers.job import ImportResult, Job, Landing, Prepared, Progress, Warehouse
from dayslice_importers.locking import settle
from dayslice_importers.preparing import Standing, announce, prepare, standing, streams_of
from dayslice_importers.source_errors import Lost
from dayslice_importers.undated import later_of, with_undated

__all__ = ["ImportResult", "Progress", "import_tables", "plan_imports"]

Tell = Callable[[ImportResult], None]
Watch = Callable[[Progress], None] | None
# How long a server that went away may take to come back.
RESTART_SECONDS = 30.0


def import_tables(
    project: Warehouse,
    tables: Iterable[TableNode],
    ds: str,
    *,
    as_of_now: bool = False,
    accept: bool = False,
    allow_empty: bool = False,
    progress: Tell | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> list[ImportResult]:
    """Import one ds of tables, and look again at the slices of their `look_back`. An error stops its own table only.

    `progress` is told of each slice that is done, `watch` of the rows as they go by; both one thread at a time.
    """
    results: list[ImportResult] = []
    guard = threading.Lock()

    def tell(result: ImportResult) -> None:
        with guard:
            results.append(result)
            if progress:
                progress(result)

    for name, jobs in _jobs(project, tables, ds, as_of_now, accept, tell, allow_empty).items():
        try:
            _import_from(name, jobs, tell, watch)
        except DaysliceError as error:
            done = {(result.table.unique_id, result.ds) for result in results}
            for job in jobs:
                if (job.node.unique_id, job.ds) not in done:
                    tell(ImportResult(job.node, job.ds, error=error))
    return results


def plan_imports(
    project: Warehouse, tables: Iterable[TableNode], ds: str, *, as_of_now: bool = False, accept: bool = False
) -> tuple[list[Prepared], list[ImportResult]]:
    """What `import_tables` would read and write, and what it would refuse at once. Nothing is written."""
    failed: list[ImportResult] = []
    found: list[Prepared] = []
    for name, jobs in _jobs(project, tables, ds, as_of_now, accept, failed.append).items():
        try:
            with connect(name, project.target.home) as lead:
                found += _prepared(lead, jobs, standing(jobs), _limit(jobs), failed.append)
        except DaysliceError as error:
            failed += [ImportResult(job.node, job.ds, error=error) for job in jobs]
    return found, failed


def _jobs(
    project: Warehouse,
    tables: Iterable[TableNode],
    ds: str,
    as_of_now: bool,
    accept: bool,
    tell: Tell,
    allow_empty: bool = False,
) -> dict[str, list[Job]]:
    """The jobs of each connection."""
    store = open_store(project.target.warehouse)
    engine = open_engine(project.target)
    found: dict[str, list[Job]] = {}
    for node in tables:
        try:
            _check_ds(project, node, ds, as_of_now)
            slices = [(ds, False), *((late, True) for late in _late_slices(project, node, ds))]
        except DaysliceError as error:
            tell(ImportResult(node, ds, error=error))
            continue
        jobs = found.setdefault(str(node.meta["connection"]), [])
        jobs += [Job(project, node, each, store, engine, accept, again, allow_empty) for each, again in slices]
    return found


def _check_ds(project: Warehouse, node: TableNode, ds: str, as_of_now: bool) -> None:
    parse_ds(ds, node.settings.grain)
    refuse_open_period(node, ds, project.time_zone, is_asked_for(os.environ))
    if node.settings.kind is Kind.CUMULATIVE and not as_of_now and ds not in snapshot_slices(project.time_zone):
        raise Refused(
            f"{node} {ds} is cumulative, a snapshot of now, and {ds} is not now: importing it would falsify history. "
            "If the source does stand as it stood then, say --as-of-now; if it has history of its own, import that as "
            "events (slice: events, on: …); if it has none, this slice cannot be had any more: let the table begin "
            f"with its first one (start: in {node.yaml})"
        )


def _late_slices(project: Warehouse, node: TableNode, ds: str) -> list[str]:
    """Earlier slices that stand and may have got late rows, newest first."""
    back = node.meta.get("look_back", 0)
    if isinstance(back, bool) or not isinstance(back, int) or back < 0:
        raise UsageError(f"{node.path}: {node}: look_back: {back!r} is no number of slices")
    if back and node.settings.kind is not Kind.EVENTS:
        raise UsageError(f"{node.path}: {node}: look_back is for events: a cumulative slice is a snapshot of its time")
    earlier = [shift(ds, -n, project.time_zone) for n in range(1, back + 1)]
    if not earlier:
        return []
    with open_metastore(project.target) as metastore:
        stands = metastore.published(node.table, earlier)
    return [each for each in earlier if each in stands]


def _limit(jobs: Sequence[Job]) -> int:
    """How many streams may read from a source at once: the most that any of its tables allows."""
    return max(streams_of(job) for job in jobs)


def _import_from(name: str, jobs: list[Job], tell: Tell, watch: Watch) -> None:
    """All jobs of one source. Those that a restart of its server ended are done once more, in a new snapshot."""
    project = jobs[0].project
    with contextlib.ExitStack() as locks:
        # All at once and in one order: two commands that want the same slices wait for each other, in turn.
        begun = sorted((Begun(project.target.home, job.slice) for job in jobs), key=lambda each: each.file)
        for each in begun:
            each.lock.acquire()
            locks.callback(each.lock.release)
        lost: list[ImportResult] = []
        _import_once(
            name, jobs, lambda result: (lost.append if isinstance(result.error, Lost) else tell)(result), watch
        )
        if not lost:
            return
        if not _is_back(name, project.target.home):
            for result in lost:
                tell(result)
            return
        slices = {(result.table.unique_id, result.ds) for result in lost}
        _import_once(name, [job for job in jobs if (job.node.unique_id, job.ds) in slices], tell, watch)


def _is_back(name: str, home: Path) -> bool:
    """Whether a server that went away answers again, within the time that a restart takes."""
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            with connect(name, home):
                return True
        except DaysliceError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)


def _import_once(name: str, jobs: list[Job], tell: Tell, watch: Watch) -> None:
    """In one snapshot."""
    streams = _limit(jobs)
    home = jobs[0].project.target.home
    stands = standing(jobs)
    with connect(name, home) as lead:
        landings: list[Landing] = []
        guard = threading.Lock()
        for looked_at in _prepared(lead, jobs, stands, streams, tell):
            job = looked_at.job
            try:
                prepared = with_undated(lead, looked_at)
                announce(prepared, stands[job.slice])
                gone = left_out(job.project.target, job.node)
            except DaysliceError as error:
                tell(ImportResult(job.node, job.ds, error=error))
                continue
            has_later = later_of(lead, prepared, guard)
            landings.append(Landing(prepared, time.perf_counter(), watch, gone, has_later=has_later))
        Streams(name, home, lead, tell).run(landings, streams)
    for landing in landings:
        if not landing.orphaned:
            Begun(home, landing.prepared.job.slice).write([])


def _prepared(
    lead: Any, jobs: Sequence[Job], stands: Mapping[Slice, Standing], streams: int, tell: Tell
) -> list[Prepared]:
    """The jobs that can begin, in one snapshot; `tell` is told of the others."""
    begun = time.perf_counter()
    return settle(
        lead,
        jobs,
        lambda job: prepare(lead, job, stands[job.slice], streams),
        lambda job, error: tell(ImportResult(job.node, job.ds, error=error, seconds=time.perf_counter() - begun)),
    )
