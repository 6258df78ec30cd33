"""What the runner promises: no published slice is lost, none is stale unsaid, none is made twice.

Sequences of new inputs, backfills (also together, and in part), refusals, kills, rollbacks, deletions and erasures, on
a handful of tables that are parsed once; after each the warehouse is compared with what its tables should hold.
`DAYSLICE_SEQUENCES` asks for more of them, of more steps.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dayslice.errors import DaysliceError
from dayslice.metastore.batch import begun
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.guard import VARIABLE as ACCEPT
from dayslice.rules.plan import Plan
from dayslice.rules.run_ids import one_run
from dayslice.runner import together
from dayslice.runner.erase import erase
from dayslice.runner.planning import plan_range
from dayslice.runner.project import Project, load_project
from dayslice.runner.retain import retain
from dayslice.runner.rollback import roll_back
from dayslice.runner.rollback_run import plan_rollback, roll_back_run
from dayslice.runner.runs import PUBLISHED, Outcome, run_plan
from tests.local_files import readers
from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events, person: {who: name}}}
    tables: [{name: orders}]
models:
  - name: flat
    config: {meta: {slice: events, retention: keep 3 versions, person: {who: name}}}
    columns: [{name: id, data_tests: [unique]}]
  - name: total
    config: {meta: {slice: cumulative, start: 2013-01-01, person: none}}
    columns: [{name: n, data_type: bigint}]
  - {name: week, config: {meta: {slice: events, person: none}}}
"""
FILES = {
    "models/models.yml": YAML,
    "models/flat.sql": "select id, who from {{ source('erp', 'orders') }}",
    "models/total.sql": (
        "select cast((select count(*) from {{ slice('flat') }}) "
        "+ coalesce((select max(n) from {{ slice(this, -1) }}), 0) as bigint) as n"
    ),
    "models/week.sql": "select sum(n) as n from {{ slice('total') }}",
}
DAYS = ["2013-01-01", "2013-01-02", "2013-01-03"]
TABLES = ["flat", "total", "week"]
WHO = ["ann", "bob", "cat"]
REFUSED = [(1, "ann"), (1, "bob")]
SEQUENCES = int(os.environ.get("DAYSLICE_SEQUENCES", "2"))
Rows = list[tuple]


class Runner(RuleBasedStateMachine):
    """`project` is parsed once, its warehouse is empty at the beginning of each sequence."""

    project: WarehouseProject
    loaded: Project

    def __init__(self) -> None:
        super().__init__()
        shutil.rmtree(self.project.home, ignore_errors=True)
        self.project.home.mkdir()
        self.orders: dict[str, Rows] = {}
        self.erased: set[str] = set()
        self.stood: dict[str, dict[str, str]] = {table: {} for table in TABLES}
        self.runs: list[str] = []
        for ds in DAYS:
            self.land(ds, [(1, "ann"), (2, "bob")])

    days = st.sampled_from(DAYS)
    rows = st.lists(st.sampled_from(WHO), max_size=3).map(lambda names: list(enumerate(names, 1)))

    @rule(ds=days, rows=rows | st.just(REFUSED))
    def land(self, ds: str, rows: Rows) -> None:
        """The source gives other rows, or such as an audit refuses. Erased persons are left out, as an import does."""
        kept = [row for row in rows if row[1] not in self.erased]
        values = ", ".join(f"({id}, '{who}')" for id, who in kept)
        self.project.land("orders", ds, f"values {values}" if kept else None, "id int, who varchar")
        self.orders[ds] = kept

    @rule(first=days, tables=st.sets(st.sampled_from(TABLES), min_size=1), stale=st.booleans())
    def backfill(self, first: str, tables: set[str], stale: bool) -> None:
        """Some of it is made; a second plan of the same has nothing left but what could not be made."""
        plan = self.plan(first, tables, stale)
        with one_run() as run:
            outcomes = run_plan(self.loaded, plan, lambda outcome: None)
        self.runs.append(run)
        self.check(plan, outcomes)

    @rule(first=days)
    def backfill_together(self, first: str) -> None:
        """All of it is published, or nothing."""
        plan = self.plan(first, set(TABLES), stale=True)
        if not plan.size:
            return
        before = self.standing()
        with one_run() as run, begun(self.loaded.target, run) as batch:
            outcomes = together.stage(self.loaded, plan, batch, 1, lambda outcome: None)
            assert self.standing() == before, "nobody sees what is staged"
            failed = any(each.failed for each in outcomes)
            changes = [] if failed else together.publish(self.loaded, batch)
        self.runs.append(run)
        made = [Outcome(each.slice.table.name, each.slice.ds, PUBLISHED) for each in changes]
        assert not failed or self.standing() == before
        self.check(plan, made)

    @rule(calls=st.integers(1, 4), after=st.booleans())
    def killed(self, calls: int, after: bool) -> None:
        """A process that makes all that is missing or stale dies at a publication, just before it or just after."""
        plan = self.plan(DAYS[0], set(TABLES), stale=True)
        child = os.fork()
        if child == 0:
            die_at(calls, after)
            with suppress(BaseException):
                run_plan(self.loaded, plan, lambda outcome: None)
            os._exit(0)
        os.waitpid(child, 0)
        self.check(plan, None)

    @rule(ds=days, table=st.sampled_from(TABLES))
    def rollback(self, ds: str, table: str) -> None:
        """One slice goes back."""
        with suppress(DaysliceError):
            roll_back(self.loaded, self.loaded.find(table), ds)
        self.stood = self.standing()
        self.check(None, None)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def rollback_run(self, data: st.DataObject) -> None:
        """A whole run goes back: what stood before it stands, and what did not does not."""
        run = data.draw(st.sampled_from(self.runs))
        try:
            taken = plan_rollback(self.loaded, list(self.loaded.models), run)
        except DaysliceError:
            return
        before = self.standing()
        roll_back_run(self.loaded, taken)
        now = self.standing()
        for change in taken.changes:
            stands = now[change.slice.table.name].get(change.slice.ds)
            assert stands == (change.version.id if change.version else None)
            before[change.slice.table.name].pop(change.slice.ds)
            now[change.slice.table.name].pop(change.slice.ds, None)
        assert now == before, "and nothing else"
        self.stood = self.standing()
        self.check(None, None)

    @rule()
    def retention(self) -> None:
        """Old versions go, and no published slice."""
        before = self.standing()
        list(retain(self.loaded, list(self.loaded.tables.values())))
        assert self.standing() == before
        self.check(None, None)

    @rule(who=st.sampled_from(WHO[1:]))
    def erasure(self, who: str) -> None:
        """Somebody is erased, and stays away."""
        erase(self.loaded, "name", who, False, lambda each: None)
        self.erased.add(who)
        self.orders = {ds: [row for row in rows if row[1] != who] for ds, rows in self.orders.items()}
        assert erase(self.loaded, "name", who, True, lambda each: None).tables == []
        assert {table: set(slices) for table, slices in self.standing().items()} == {
            table: set(slices) for table, slices in self.stood.items()
        }
        self.stood = self.standing()
        self.check(None, None)

    def teardown(self) -> None:
        """In the end all of it can be made right, in one run that makes each slice once, and then nothing is left."""
        for ds in DAYS:
            if len({id for id, _ in self.orders[ds]}) < len(self.orders[ds]):
                self.land(ds, [(1, "ann")])
        plan = self.plan(DAYS[0], set(TABLES), stale=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(ACCEPT, "inputs are empty, as the source says or as somebody was erased")
            outcomes = run_plan(self.loaded, plan, lambda outcome: None)
        self.check(plan, outcomes)
        assert [each for each in outcomes if each.failed] == []
        assert self.plan(DAYS[0], set(TABLES), stale=True).size == 0
        assert self.contents() == self.wanted()

    def plan(self, first: str, tables: set[str], stale: bool) -> Plan:
        """What would be made."""
        nodes = [node for node in self.loaded.models if node.name in tables]
        return plan_range(self.loaded, nodes, first, DAYS[-1], stale=stale)

    def check(self, plan: Plan | None, outcomes: list[Outcome] | None) -> None:
        """After each step."""
        now = self.standing()
        for table, slices in self.stood.items():
            assert set(slices) <= set(now[table]), "a published slice is lost"
        if outcomes is not None:
            made = [(each.table, each.ds) for each in outcomes if each.status == PUBLISHED]
            assert len(set(made)) == len(made), "made twice"
            for table, ds in made:
                assert now[table][ds] != self.stood[table].get(ds)
            moved = {(t, ds) for t in TABLES for ds, id in now[t].items() if self.stood[t].get(ds) != id}
            assert moved == set(made), "what is told is what was published"
        self.stood = now
        said = self.plan(DAYS[0], set(TABLES), stale=True)
        told = {(self.loaded.tables[table].name, ds) for table, ds in said.reasons}
        contents, wanted = self.contents(), self.wanted()
        wrong = {key for key, rows in contents.items() if rows != wanted[key]}
        assert wrong <= told, "stale and not said"
        assert {(table, ds) for table in TABLES for ds in DAYS if ds not in now[table]} <= told, "missing and not said"

    def standing(self) -> dict[str, dict[str, str]]:
        """The published versions."""
        return {table: {ds: v.id for ds, v in self.project.published(table).items()} for table in TABLES}

    def contents(self) -> dict[tuple[str, str], Rows]:
        """What readers see of each published slice."""
        found: dict[tuple[str, str], Rows] = {}
        with readers(self.project.home) as connection:
            for table, slices in self.standing().items():
                for ds in slices:
                    columns = "id, who" if table == "flat" else "n"
                    sql = f"select {columns} from analytics.{table} where ds = '{ds}' order by all"
                    found[table, ds] = connection.execute(sql).fetchall()
        return found

    def wanted(self) -> dict[tuple[str, str], Rows]:
        """What all slices would hold that were made of the source as it is now."""
        found: dict[tuple[str, str], Rows] = {}
        count = 0
        for ds in DAYS:
            rows = sorted(self.orders[ds])
            count += len(rows)
            found |= {("flat", ds): rows, ("total", ds): [(count,)], ("week", ds): [(count,)]}
        return found


def die_at(calls: int, after: bool) -> None:
    """In a process of its own: it ends at its so-manieth publication."""
    publish, count = SQLiteMetastore.publish, 0

    def dying(self: SQLiteMetastore, version) -> None:
        nonlocal count
        count += 1
        if count == calls and not after:
            os._exit(9)
        publish(self, version)
        if count == calls:
            os._exit(9)

    SQLiteMetastore.publish = dying  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory) -> Iterator[WarehouseProject]:
    project = WarehouseProject(tmp_path_factory.mktemp("project"), FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        patch.setenv("DAYSLICE_HASH_KEY", "a secret of some length")
        patch.setenv("DAYSLICE_GRACE_HOURS", "0")
        yield project


def test_sequences_of_all_that_an_operator_does_keep_the_promise(parsed):
    loaded = load_project(parsed.root)
    machine = type("OfProject", (Runner,), {"project": parsed, "loaded": loaded})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=12 if SEQUENCES < 10 else 30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # to shrink one of thirty steps takes hours
            derandomize=SEQUENCES < 10,
            database=None,
        ),
    )
