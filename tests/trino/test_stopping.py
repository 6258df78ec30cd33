"""SIGTERM, by which Airflow ends a task, and Ctrl-C end a query on Trino."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: slow, config: {meta: {slice: events}}}
"""
SLOW = """
select count(*) as n
from {{ slice('erp', 'orders') }}
cross join tpch.sf10.lineitem as one
cross join tpch.sf10.lineitem as other
"""


def running(project):
    found = project.query(
        "select query_id, state from system.runtime.queries where query like '%sf10%' "
        "and query not like '%system.runtime%' order by created desc limit 1"
    )
    return dict(found)


def wait_for(look, seconds=300):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError("it did not come")


def test_a_build_that_is_terminated_leaves_no_query_on_trino(make_project):
    project = make_project({"models/m.yml": YAML, "models/slow.sql": SLOW})
    project.empty()
    project.land("orders", "2013-01-05", "values 1", "id int")
    dbt = str(Path(sys.executable).with_name("dbt"))
    command = [dbt, "build", "--select", "slow", "--target", "trino", "--vars", "ds: 2013-01-05"]
    said = (project.root / "said").open("w+")
    build = subprocess.Popen(command, cwd=project.root, env=dict(os.environ), stdout=said, stderr=said)
    try:
        (id,) = wait_for(lambda: [i for i, state in running(project).items() if state == "RUNNING"])
        build.send_signal(signal.SIGTERM)
        assert build.wait(30) != 0
        state = wait_for(lambda: running(project).get(id) if running(project).get(id) != "RUNNING" else None, 15)
        assert state == "FAILED"
    finally:
        build.kill()
        build.wait()
        said.seek(0)
        print(said.read())


# In the background SIGINT may be passed over; here it is as at a prompt.
ASKS = """
import signal
from pathlib import Path
from dayslice.engines.target import load_target
from dayslice.engines.trino_client import connect
signal.signal(signal.SIGINT, signal.default_int_handler)
with connect(load_target(Path("."), "trino").credentials) as connection:
    connection.cursor().execute("select count(*) from tpch.sf10.lineitem, tpch.sf10.lineitem as other").fetchall()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_query_outside_dbt_ends_with_its_process(make_project, number):
    project = make_project({"models/m.yml": YAML, "models/slow.sql": SLOW})
    before = set(running(project))
    asks = subprocess.Popen([sys.executable, "-c", ASKS], cwd=project.root)
    try:
        (id,) = wait_for(lambda: [i for i, s in running(project).items() if s == "RUNNING" and i not in before], 60)
        asks.send_signal(number)
        assert asks.wait(30) != 0
        state = wait_for(lambda: running(project).get(id) if running(project).get(id) != "RUNNING" else None, 15)
        assert state == "FAILED"
    finally:
        asks.kill()
        asks.wait()
