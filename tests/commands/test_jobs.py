"""A backfill by several processes makes what one makes; it can be stopped, and goes on from there."""

import os
import signal
import subprocess
import sys
import time
from datetime import date

import psutil
import pytest

from dayslice.runner import jobs
from tests.sql.project_files import TOTAL, on_orders
from tests.sql.warehouse_project import WarehouseProject
from tests.warm.test_programs import is_there

DAYS = [f"2013-01-{day:02}" for day in range(1, 9)]
SPAN = ["--from", DAYS[0], "--to", DAYS[-1], "--select", "total", "summary", "flat"]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    files = on_orders(
        {
            "total": TOTAL,
            "summary": "select n from {{ slice('total') }}",
            "flat": "select id, name from {{ source('erp', 'orders') }} join {{ ref('names') }} using (id)",
            "flat_latest": "{{ latest('flat') }}",
        },
        {"total": {"slice": "cumulative", "start": date(2013, 1, 1)}, "summary": {"slice": "cumulative"}},
        {"total": [{"name": "n", "data_type": "bigint"}], "flat": [{"name": "id", "data_tests": ["unique"]}]},
    )
    return WarehouseProject(tmp_path_factory.mktemp("project"), {**files, "seeds/names.csv": "id,name\n1,a\n"})


@pytest.fixture
def project(parsed):
    """Eight days of one order each, nothing built."""
    parsed.begin_anew()
    for ds in DAYS:
        parsed.land("orders", ds, "select 1 as id", "id int")
    return parsed


def test_several_processes_make_what_one_makes(run, project):
    others = {each.pid for each in psutil.Process().children(recursive=True)}  # services of the tests
    code, out, err = run("backfill", *SPAN, "--jobs", "2")
    assert (code, out) == (0, "24 published\n")
    assert project.query("select n from analytics.summary order by ds") == [(n,) for n in range(1, 9)]
    assert project.query("select ds, name from analytics.flat order by ds") == [(ds, "a") for ds in DAYS]
    assert project.query("select ds from analytics.flat_latest") == [(DAYS[-1],)]
    assert "24/24" in err
    assert run("plan", *SPAN)[0] == 0
    left = [each.cmdline() for each in psutil.Process().children(recursive=True) if each.pid not in others]
    assert [each for each in left if "resource_tracker" not in str(each)] == []  # Python's own, of dbt's locks


def test_a_worker_that_ends_after_its_last_slice_was_told_is_no_failure(run, project, monkeypatch):
    make, end, ended = jobs._make, jobs._Run._end, []

    def ends_later(*given):
        make(*given)
        time.sleep(0.5)

    def noted(runs):
        end(runs)
        ended.extend(worker.process.exitcode for worker in runs.workers)

    monkeypatch.setattr(jobs, "_make", ends_later)
    monkeypatch.setattr(jobs._Run, "_end", noted)
    assert run("backfill", "--from", DAYS[0], "--to", DAYS[1], "--select", "flat", "--jobs", "2")[0] == 0
    assert ended == [0, 0]  # else it had told of a broken pipe


def test_a_failed_slice_blocks_only_what_needs_it_and_one_command_tries_again(run, project):
    project.land("orders", DAYS[2], "select * from (values (1), (1)) as v(id)", "id int")
    with_readers = [*SPAN, "--jobs", "2", "--downstream"]
    code, out, err = run("backfill", *with_readers)
    assert (code, out) == (1, "23 published, 1 failed\n")
    assert "unique_flat_id: 1 failing" in err
    assert f"try those again: dayslice backfill --from {DAYS[2]} --to {DAYS[2]} --select flat --downstream" in err
    project.land("orders", DAYS[2], "select 1 as id", "id int")
    assert run("backfill", *SPAN, "--jobs", "2")[0] == 0


def test_a_failure_in_a_chain_skips_the_rest_of_it(run, project):
    run("unpublish", "erp.orders", DAYS[3], "--yes")
    code, out, _ = run("backfill", *SPAN, "--jobs", "2", "--newest-first")
    assert code == 1
    assert [ds for (ds,) in project.query("select ds from analytics.total order by ds")] == DAYS[:3]
    assert [ds for (ds,) in project.query("select ds from analytics.flat order by ds")] == DAYS[:3] + DAYS[4:]
    assert out.startswith("13 published")


def test_it_is_stopped_by_ctrl_c_and_goes_on_from_there(run, project):
    command = [sys.executable, "-m", "dayslice", "backfill", *SPAN, "--jobs", "2"]
    process = subprocess.Popen(command, cwd=project.root, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while "published" not in (line := process.stderr.readline()):
        assert line, "it ended before anything was published"
    workers = [each for each in psutil.Process(process.pid).children() if "resource_tracker" not in str(each.cmdline())]
    assert workers
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(30) == 130
    assert "stopped" in rest
    assert "Traceback" not in rest
    assert not [each for each in workers if is_there(each)]
    code, out, _ = run("backfill", *SPAN, "--jobs", "2")
    assert code == 0
    assert "there already" in out
    assert project.query("select n from analytics.summary order by ds") == [(n,) for n in range(1, 9)]
    assert project.staged() == []
