"""Trino of several processes: all of them compute, and one that is killed in mid-query costs a task or a try."""

import multiprocessing
import os
from pathlib import Path

import pytest

from dayslice.services.stack.machine import Ports, Stack, missing_for_stack
from dayslice.services.stack.packages import downloaded
from tests.airflow.running_airflow import until
from tests.sql.trino_project import TrinoProject
from tests.sql.warehouse_project import begin_with_parsed_macros

pytestmark = pytest.mark.timeout(3000)
DS = "2013-01-05"
YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: big, config: {meta: {slice: events}}}
"""
# Long enough to be killed in the midst, on two cores too: its size is a setting of whoever has more.
SCALE = os.environ.get("DAYSLICE_NODES_SCALE", "sf1")
# A hook is made as it is run: the policy of each build is another.
POLICY = "{% macro retry_policy() %}set session retry_policy = '{{ env_var('RETRIED', 'NONE') }}'{% endmacro %}"
BIG = """
{{ config(pre_hook="{{ retry_policy() }}") }}
select l.orderkey, l.linenumber, l.comment, o.comment as of_order
from erp.lineitem as l
inner join erp.of_lines as o on o.orderkey = l.orderkey
cross join {{ slice('erp', 'orders') }} as s
where l.orderkey % 4 = 0
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, require):
    missing = missing_for_stack()
    if not missing and not downloaded():
        missing = "Trino is not downloaded yet (1.3 GB): run dayslice stack up once"
    require(missing)
    if running := os.environ.get("DAYSLICE_TEST_STACK"):  # one with two workers that is up already: quick turns
        yield Stack(Path(running))
        return
    stack = Stack(tmp_path_factory.mktemp("stack"), Ports.free(), heap="2G", workers=2)
    try:
        stack.up(print)
        yield stack
    finally:
        stack.down(print)


@pytest.fixture(scope="module")
def project(cluster, tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        files = {"models/models.yml": YAML, "models/big.sql": BIG, "macros/retry_policy.sql": POLICY}
        project = TrinoProject(tmp_path_factory.mktemp("project"), files, cluster)
        for name, value in project.environment.items():
            environment.setenv(name, value)
        begin_with_parsed_macros(project.root, project.target)
        project.land("orders", DS, "values 1", "id int")
        # On S3, as splits of tpch are bound to their workers, and cannot be made again elsewhere.
        for name, of in (("lineitem", "lineitem"), ("of_lines", "orders")):
            project.query(f"drop table if exists erp.{name}")
            project.query(f"create table erp.{name} as select * from tpch.{SCALE}.{of}")
        project.dbt.parse()
        yield project


def build(project, retried, results):
    os.environ["RETRIED"] = retried
    built = project.build(DS, "big")["big"]
    results.put((built.status, built.message))


def killed_in_mid_build(project, worker, retried):
    """What a build came to whose worker was killed as it had tasks of it."""
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    process = fork.Process(target=build, args=(project, retried, results))
    process.start()
    builds = "select query_id from system.runtime.queries where query like '%create table%analytics__big%'"
    builds += " and query not like '%system.runtime%' and state = 'RUNNING'"
    at_it = (
        f"select 1 from system.runtime.tasks where node_id = 'dayslice-{worker.number}' and state = 'RUNNING' "
        f"and processed_input_rows > 0 and query_id in ({builds})"
    )
    try:
        until(lambda: not results.empty() or project.query(at_it), 300)
        assert results.empty(), f"it ended before it could be killed: {results.get()}"
        worker.service().process().kill()
        return results.get(timeout=900)
    finally:
        process.join(60)
        process.kill()


def rows(project):
    counts = "count(*), count(distinct (orderkey, linenumber))"
    return project.query(f"select {counts} from analytics.big where ds = '{DS}'")


@pytest.fixture
def both(cluster):
    """The workers, both of which compute."""
    for worker in cluster.workers():
        worker.prepared().start()
    until(lambda: cluster.trino.working() == 2, 600, 1.0)
    return cluster.workers()


def test_with_retried_tasks_a_killed_worker_costs_tasks_and_the_slice_is_made(project, both):
    [(expected,)] = project.query(f"select count(*) from tpch.{SCALE}.lineitem where orderkey % 4 = 0")
    status, message = killed_in_mid_build(project, both[1], "TASK")
    assert status == "success", message
    assert rows(project) == [(expected, expected)], "what the dead task had written is not counted"
    assert project.published("big")[DS].receipt.rows == expected


def test_without_them_the_build_fails_the_slice_stands_and_the_next_try_makes_it(project, both):
    if DS not in project.published("big"):
        assert project.build(DS, "big")["big"].status == "success"
    before, stood = project.published("big")[DS], rows(project)
    status, message = killed_in_mid_build(project, both[0], "NONE")
    assert status == "error", message
    assert project.published("big")[DS] == before, "what was published stands"
    assert rows(project) == stood
    again = project.build(DS, "big")["big"]
    assert again.status == "success", "by the worker that is left"
    assert project.published("big")[DS].id != before.id
    assert rows(project) == stood
    assert project.staged() == []


def test_another_number_of_workers_starts_trino_anew(cluster, project):
    fewer = Stack(cluster.directory, workers=1)
    fewer.up(print)
    assert project.query("select count(*) from system.runtime.nodes where not coordinator") == [(1,)]
    assert [each.name for each in fewer.services()][-2:] == ["Trino", "Trino worker 1"]
    assert cluster.workers()[1].service().process() is None
    assert Stack(cluster.directory).trino.settings.workers == 1, "it is remembered"
