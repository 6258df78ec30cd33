"""A plan carried out by several processes at once, which are forked from this one and share the parsed project.

Each makes one part of the plan at a time, given out by a ready-queue. They leave Ctrl-C to this process, which ends
them: what they had published stands, and the next run goes on from there.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from dayslice.engines.embedded import MEMORY, memory_limit
from dayslice.errors import DaysliceError
from dayslice.metastore import lineage
from dayslice.rules.plan import Plan, Step
from dayslice.rules.queue import ReadyQueue
from dayslice.rules.stale import Key
from dayslice.runner.project import Project
from dayslice.runner.runs import (
    KEPT,
    PUBLISHED,
    Listener,
    Outcome,
    is_made_once,
    make_before,
    preparations,
    run_plan,
)

# A worker that does not end by itself has so long after it was told to.
_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 1.0


@dataclass
class Worker:
    """One process. `step`: what it is at; `told`: those of it whose end it has told."""

    process: Any
    connection: Connection
    step: Step | None = None
    told: set[Key] = field(default_factory=set)


def jobs_for(project: Project, plan: Plan, wanted: int | None) -> int:
    """How many processes to use: as many as are wanted, or four on Trino, or one a core here.

    One, where something that models read is made anew for each ds: two ds would overwrite each other's.
    """
    count = wanted or (len(os.sched_getaffinity(0)) if project.target.is_local else 4)
    models = {node.unique_id for step in plan.steps for node in step.models}
    if count == 1 or plan.size < 2 or len(plan.steps) < 2:
        return 1
    shared = [each for each in preparations(project.graph, models) if not is_made_once(project.graph, each)]
    return 1 if shared else min(count, plan.size)


def run_jobs(
    project: Project,
    plan: Plan,
    jobs: int,
    heard: Listener,
    newest_first: bool = False,
    prepared: Sequence[str] | None = None,
) -> list[Outcome]:
    """Run a plan in so many processes, and what follows its slices at the end, here. See `run_plan`.

    `prepared`: what models read that is made already; None where it is to be made.
    """
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        heard(outcome)

    slices = replace(plan, steps=tuple(replace(step, followers=()) for step in plan.steps))
    if imports := {str(node.meta["connection"]) for step in plan.steps for node in step.imports}:
        from dayslice.runner.imports import start_sources  # noqa: PLC0415 - psycopg2, only when needed

        start_sources(project.target.home, imports)
    with _shared_memory(jobs):
        _Run(project, slices, jobs, tell, newest_first, prepared).run()
    followers = tuple(replace(step, imports=(), models=()) for step in plan.steps if step.followers)
    if followers:
        run_plan(project, replace(plan, steps=followers), tell)
    return outcomes


@contextmanager
def _shared_memory(parts: int) -> Iterator[None]:
    """What one process may take of memory is shared out."""
    before = os.environ.get(MEMORY)
    os.environ[MEMORY] = memory_limit(parts).removesuffix("iB")
    try:
        yield
    finally:
        if before is None:
            del os.environ[MEMORY]
        else:
            os.environ[MEMORY] = before


class _Run:
    def __init__(
        self,
        project: Project,
        plan: Plan,
        jobs: int,
        tell: Listener,
        newest_first: bool,
        prepared: Sequence[str] | None = None,
    ):
        self.project = project
        self.plan = plan
        self.jobs = jobs
        self.tell = tell
        self.queue = ReadyQueue(plan, project.tables, project.time_zone, newest_first)
        self.ids = {node.name: unique_id for unique_id, node in project.tables.items()}
        self.workers: list[Worker] = []
        self.given = prepared
        self.prepared: list[str] = []

    def run(self) -> None:
        """Until nothing is left."""
        models = {node.unique_id for step in self.plan.steps for node in step.models}
        self.prepared = preparations(self.project.graph, models) if self.given is None else list(self.given)
        try:
            if self.prepared and self.given is None:
                self._prepare()
            while not self.queue.is_done:
                self._give_out()
                self._listen()
        except BaseException:
            for worker in self.workers:
                worker.process.terminate()
            raise
        finally:
            self._end()

    def _prepare(self) -> None:
        """Seeds and views that models read: made once, by one process, before all others begin."""
        worker = self._begin()
        worker.connection.send(("prepare", self.prepared, self.plan.steps[0].ds))
        while self._hear(worker) is not None:
            pass

    def _give_out(self) -> None:
        while idle := self.jobs - sum(worker.step is not None for worker in self.workers):
            step = self.queue.take(idle)
            if step is None:
                return
            worker = next((each for each in self.workers if each.step is None), None) or self._begin()
            worker.step, worker.told = step, set()
            worker.connection.send(("make", step.ds, step.tables))

    def _listen(self) -> None:
        busy = {worker.connection: worker for worker in self.workers if worker.step is not None}
        for connection in wait(list(busy)):
            self._hear(busy[connection])  # type: ignore[index]

    def _hear(self, worker: Worker) -> Outcome | None:
        """One message of a worker: an outcome; or None, and its part is done."""
        try:
            outcome = worker.connection.recv()
        except (EOFError, OSError):
            self.workers.remove(worker)
            worker.process.join()
            outcome = None
        if outcome is not None:
            self._told(worker, outcome)
        elif worker.step is not None:
            for unique_id in worker.step.tables:
                if (unique_id, worker.step.ds) not in worker.told:
                    code = worker.process.exitcode
                    said = f"the process that made it ended with {code}" if code is not None else "not built"
                    name = self.project.tables[unique_id].name
                    self._told(worker, Outcome(name, worker.step.ds, "skipped" if code is None else "failed", said))
            worker.step = None
        return outcome  # type: ignore[no-any-return]

    def _told(self, worker: Worker, outcome: Outcome) -> None:
        self.tell(outcome)
        unique_id = self.ids.get(outcome.table)
        if unique_id is None or worker.step is None:
            return
        key = unique_id, outcome.ds
        worker.told.add(key)
        for table, ds in self.queue.told(key, outcome.status in (PUBLISHED, KEPT)):
            self.tell(Outcome(self.project.tables[table].name, ds, "skipped", f"{outcome.table} {outcome.ds} failed"))

    def _begin(self) -> Worker:
        context = get_context("fork")
        ours, theirs = context.Pipe()
        others = [worker.connection for worker in self.workers]
        process = context.Process(target=_work, args=(self, theirs, [ours, *others]), daemon=True)
        process.start()
        theirs.close()
        worker = Worker(process, ours)
        self.workers.append(worker)
        return worker

    def _end(self) -> None:
        for worker in self.workers:
            with suppress(OSError):
                worker.connection.close()
        for worker in self.workers:
            worker.process.join(_PATIENCE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _work(run: _Run, connection: Connection, foreign: Sequence[Connection]) -> None:
    """A worker's life: it makes what it is given until the one who gives has no more, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for each in foreign:
        each.close()
    try:
        _listen_and_make(run, connection)
    finally:
        lineage.finish()  # a forked process ends without Python's own farewell


def _listen_and_make(run: _Run, connection: Connection) -> None:
    parent = os.getppid()
    while True:
        if not connection.poll(_LOOK_SECONDS):
            if os.getppid() != parent:
                return
            continue
        try:
            what, *given = connection.recv()
        except (EOFError, OSError):
            return
        if what == "prepare":
            make_before(run.project, given[0], given[1], connection.send)
        else:
            _make(run, connection, *given)
        try:
            connection.send(None)
        except OSError:  # what it told before was the last that was waited for
            return


def _make(run: _Run, connection: Connection, ds: str, tables: Sequence[str]) -> None:
    nodes = [run.project.tables[each] for each in tables]
    imports, models = [n for n in nodes if n.is_import], [n for n in nodes if not n.is_import]
    plan = replace(run.plan, steps=(Step(ds, tuple(imports), tuple(models)),))
    try:
        run_plan(run.project, plan, connection.send, prepared=run.prepared)
    except DaysliceError as error:
        for node in nodes:
            connection.send(Outcome(node.name, ds, "failed", str(error)))
