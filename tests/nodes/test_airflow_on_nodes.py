"""Airflow on three nodes with Celery: what a day needs, and what becomes of it when a node is lost."""

import os
import shutil

import pytest

from tests.airflow.running_airflow import until
from tests.nodes.cluster import Staging
from tests.sql.trino_project import TrinoProject

pytestmark = pytest.mark.timeout(3600)
DS = "2013-01-01"
TARGET = "trino"
# How many runs wait when the triggerer is killed.
WAITS = int(os.environ.get("DAYSLICE_WAITS", "20"))
FILES = {
    "models/models.yml": """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events, start: "2013-01-01", end: "2018-12-31"}}
    tables: [{name: orders, config: {meta: {on: day}}}, {name: clicks, config: {meta: {on: day}}}]
models:
  - {name: upstream, config: {meta: {slice: events, owner: a, end: "2018-12-31"}}}
  - name: changed
    config: {meta: {slice: events, owner: a, end: "2018-12-31"}}
    columns: [{name: n, data_tests: [not_null]}]
  - {name: slow, config: {meta: {slice: events, owner: a, end: "2018-12-31"}}}
  - {name: waiting, config: {meta: {slice: events, owner: a, end: "2018-12-31"}}}
""",
    "models/upstream.sql": "select id from {{ slice('erp', 'orders') }}",
    "models/changed.sql": "select count(*) as n from {{ slice('upstream') }}",
    "models/waiting.sql": "select id from {{ slice('erp', 'clicks') }}",
    # As long as the orders say: their number to the third power.
    "models/slow.sql": """
select count(*) as n
from {{ slice('erp', 'orders') }} as o
cross join unnest(sequence(1, o.id)) as a (x)
cross join unnest(sequence(1, o.id)) as b (y)
cross join unnest(sequence(1, o.id)) as c (z)
""",
}
FOR_EVER, QUICK = 9000, 2


@pytest.fixture(scope="module")
def project(stack, tmp_path_factory):
    project = TrinoProject(tmp_path_factory.mktemp("project"), FILES, stack)
    project.empty()
    return project


@pytest.fixture(scope="module")
def cluster(project, start_cluster):
    with start_cluster(project.root) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def order(cluster):
    """Puts an order of a day into the source."""
    cluster.sql("erp", "create table orders (id int, day date)")
    return lambda ds, id: cluster.sql(
        "erp", f"delete from orders where day = '{ds}'; insert into orders values ({id}, '{ds}')"
    )


def test_a_day_is_made_once_by_workers_under_two_schedulers_and_its_logs_are_on_s3(cluster, project, stack, order):
    order(DS, QUICK)
    runs = {name: cluster.trigger(name, DS) for name in ("changed", "slow", "upstream", "erp.orders")}
    cluster.ended(runs)
    assert project.query("select n, ds from analytics.changed") == [(1, DS)]
    assert project.query("select n from analytics.slow") == [(8,)]

    schedulers = "select count(*) from job where job_type = 'SchedulerJob' and state = 'running'"
    assert cluster.sql("airflow", schedulers) == [(2,)]
    tries = [task["try_number"] for run in runs.items() for task in cluster.tasks(*run).values()]
    assert set(tries) == {1}, "no task was run twice"
    assert hosts_of(cluster, runs) == {"worker1", "worker2"}

    said = str(cluster.api.get(f"dags/changed/dagRuns/{runs['changed']}/taskInstances/build/logs/1"))
    assert "analytics.changed" in said or "changed" in said
    listed = stack.store.client().list_objects_v2(Bucket="warehouse", Prefix="airflow-logs/dag_id=changed")
    assert listed["KeyCount"] > 0


def test_staging_beside_it_computes_from_production_s_slices_on_a_worker_of_its_own(
    cluster, project, stack, order, make_home
):
    project.write({"models/changed.sql": "select 10 * count(*) as n from {{ slice('upstream') }}"})
    staging = Staging(make_home(), cluster)
    try:
        staging.start()
        known = {dag["dag_id"] for dag in staging.api.get("dags", limit=1000)["dags"]}
        assert "changed" in known
        assert "erp.orders" not in known, "staging imports nothing"
        # Both at once: neither takes the other's tasks.
        order("2013-01-04", QUICK)
        production = {name: cluster.trigger(name, "2013-01-04") for name in ("changed", "upstream", "erp.orders")}
        runs = {"changed": staging.trigger("changed", DS)}
        staging.ended(runs)
        cluster.ended(production)
        assert project.query(f"select n from staging.changed where ds = '{DS}'") == [(10,)]
        assert project.query("select n, ds from analytics.changed order by ds") == [(1, DS), (1, "2013-01-04")]
        assert project.published("upstream", "staging") == {}
        assert hosts_of(staging, runs) == {"staging-worker"}
        assert hosts_of(cluster, production) <= {"worker1", "worker2"}
        listed = stack.store.client().list_objects_v2(Bucket="warehouse", Prefix="airflow-logs-staging/dag_id=changed")
        assert listed["KeyCount"] > 0
        assert staging.sql("airflow_staging", "select distinct dag_id from dag_run") == [("changed",)]
    finally:
        staging.stop()
        project.write({"models/changed.sql": FILES["models/changed.sql"]})


def hosts_of(cluster, runs):
    return {task["hostname"] for run in runs.items() for task in cluster.tasks(*run).values()}


def test_a_worker_killed_in_mid_build_and_a_deployment_while_tasks_run(cluster, project, order):
    ds = "2013-01-02"
    order(ds, FOR_EVER)
    runs = {name: cluster.trigger(name, ds) for name in ("slow", "erp.orders")}
    until(lambda: running(project), 300, 1.0)
    first = (cluster.head.home / "deployed" / TARGET / "current").readlink().name
    project.write({"models/added.sql": "select 1 as one"})
    second = cluster.deploy()["deployment"]
    assert second > first
    cluster.ended({"added": cluster.trigger("added", ds)})
    build = cluster.tasks("slow", runs["slow"])["build"]
    assert build["state"] == "running", "what runs is none the worse for it"

    [lost] = [worker for worker in cluster.workers if worker.name == build["hostname"]]
    lost.kill("celery")
    for query in running(project):  # Trino would end it itself, when nobody has asked for its rows for five minutes
        project.query(f"call system.runtime.kill_query('{query}', 'its client is gone')")
    order(ds, QUICK)
    cluster.ended({"erp.orders": cluster.trigger("erp.orders", ds)})
    cluster.ended({"slow": runs["slow"]})
    assert project.query(f"select n from analytics.slow where ds = '{ds}'") == [(8,)]
    again = cluster.tasks("slow", runs["slow"])["build"]
    assert again["try_number"] > 1
    assert again["hostname"] != lost.name
    assert project.staged() == []
    cluster.start_worker(lost)


def running(project):
    """The slow query, as Trino has it."""
    found = project.query(
        "select query_id from system.runtime.queries where state = 'RUNNING' and query like '%unnest(sequence%' "
        "and query not like '%system.runtime%'"
    )
    return [query for (query,) in found]


def test_a_worker_without_the_deployment_says_so_and_another_one_does_it(cluster, project, order):
    ds = "2013-01-03"
    order(ds, QUICK)
    first, second = cluster.workers
    shutil.rmtree(second.home / "deployed")
    first.service("celery").stop()
    run_id = cluster.trigger("erp.orders", ds)
    until(lambda: cluster.tasks("erp.orders", run_id)["import"]["state"] == "up_for_reschedule", 300, 0.5)
    # Where a person looks: on the node nothing is left of a log that is on S3.
    log = f"dags/erp.orders/dagRuns/{run_id}/taskInstances/import/logs/1"
    until(lambda: "this node has no deployment" in str(cluster.api.get(log)), 30, 1.0)
    cluster.start_worker(first)
    cluster.ended({"erp.orders": run_id})
    # The other one may take it some times more, and gives it back each time.
    assert cluster.tasks("erp.orders", run_id)["import"]["hostname"] == first.name
    second.copy_deployment(cluster.head.home, TARGET)


def test_waits_of_a_killed_triggerer_go_on_with_the_other(cluster, project):
    days = [f"20{year}-{n // 28 + 1:02}-{n % 28 + 1:02}" for year in range(14, 18) for n in range(336)][:WAITS]
    for ds in days:
        cluster.trigger("waiting", ds)
    waiting = "select count(*) from task_instance where dag_id = 'waiting' and state = 'deferred'"
    until(lambda: cluster.sql("airflow", waiting) == [(WAITS,)], 3000, 2.0)
    until(lambda: cluster.sql("airflow", "select count(*) from trigger where triggerer_id is null") == [(0,)], 60, 1.0)
    held = cluster.sql("airflow", "select count(*) from trigger group by triggerer_id")
    assert len(held) == 2, "two triggerers share them"
    print("waits by triggerer:", held)
    cluster.head.kill("triggerer")
    for ds in days:
        project.land("clicks", ds, "values 2", "id int")
    until(lambda: cluster.sql("airflow", waiting) == [(0,)], 600, 1.0)
