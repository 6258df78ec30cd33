"""A day of the demo on three nodes: what its tables say is what they say on one machine."""

import os
import subprocess
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import trino

from dayslice.demo.source import Source
from dayslice.orchestration.deployment import read_deployment
from tests.airflow.test_on_trino import emptied, of_now, rows
from tests.warm.programs import program

pytestmark = [pytest.mark.timeout(3600), pytest.mark.demo]
ROOT = Path(__file__).parents[2]
DS = "2013-01-01"
TARGET = "trino"


@pytest.fixture
def one_machine(make_home):
    """The home of the same day on the embedded engine."""
    home = make_home()
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DAYSLICE_", "PYTHONDONT"))}
    env = {**own, "DAYSLICE_HOME": str(home)}
    done = subprocess.run(
        [program("dayslice"), "demo", "--days", "1"], check=False, cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture
def cluster(stack, start_cluster):
    emptied(stack)
    with start_cluster(ROOT) as cluster:
        with closing(cluster.database.connection("erp")) as connection:
            source = Source(cluster.folder)
            source.connection = connection
            source.create()
            source.advance(DS)
        yield cluster


def test_a_day_of_the_demo_is_what_it_is_on_one_machine(one_machine, cluster, stack):
    deployment = read_deployment(cluster.head.home, TARGET)
    runs = {
        each: cluster.trigger(each, DS, **({"as_of_now": True} if of_now(table) else {}))
        for each, table in deployment.entries.items()
    }
    cluster.ended(runs)
    workers = {task["hostname"] for run in runs.items() for task in cluster.tasks(*run).values()}
    assert {"worker1", "worker2"} <= workers
    cursor = trino.dbapi.connect(host="127.0.0.1", port=stack.ports.trino, user="test", catalog="hive").cursor()
    with duckdb.connect(str(one_machine / "dayslice.duckdb"), read_only=True) as local:
        local.execute("set timezone to 'UTC'")
        for each in deployment.entries:
            table = deployment.table(each).table
            names, expected = rows(local.cursor(), str(table))
            assert sum(expected.values()) > 0
            assert rows(cursor, str(table)) == (names, expected), table
