"""A backfill that is published at once: nobody sees a part of it, or any of it where a part fails."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from dayslice.rules.slices import Slice, Table
from tests.sql.project_files import TOTAL
from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: total
    config: {meta: {slice: cumulative, start: 2013-01-01}}
    columns: [{name: n, data_type: bigint}]
  - {name: flat, config: {meta: {slice: events}}, columns: [{name: id, data_tests: [unique]}]}
  - {name: plain, config: {materialized: table}}
  - {name: of_plain, config: {meta: {slice: events}}}
"""
DAYS = [f"2013-01-{day:02}" for day in range(1, 5)]
SPAN = ["--from", DAYS[0], "--to", DAYS[-1], "--select", "total", "flat"]
TOGETHER = [*SPAN, "--together", "--yes"]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    files = {
        "models/models.yml": YAML,
        "models/total.sql": TOTAL,
        "models/flat.sql": "select id, name from {{ source('erp', 'orders') }} join {{ ref('names') }} using (id)",
        "models/flat_latest.sql": "{{ latest('flat') }}",
        "models/plain.sql": "select id from {{ source('erp', 'orders') }}",
        "models/of_plain.sql": "select id from {{ ref('plain') }}",
        "seeds/names.csv": "id,name\n1,a\n2,b\n",
    }
    return WarehouseProject(tmp_path_factory.mktemp("project"), files)


@pytest.fixture
def project(parsed):
    """Four days of one order each, nothing built."""
    parsed.begin_anew()
    for ds in DAYS:
        parsed.land("orders", ds, "select 1 as id", "id int")
    return parsed


def land_again(project, ds, rows="values (1), (2)"):
    project.land("orders", ds, rows, "id int")


def totals(project):
    return [n for (n,) in project.query("select n from analytics.total order by ds")]


def files_of(project, table):
    return {each.name for each in (project.home / "landing" / "analytics" / table).glob("v*")}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_all_of_it_is_published_at_once_and_later_slices_read_the_staged_earlier_ones(run, project, jobs):
    code, out, err = run("backfill", *TOGETHER, "--jobs", jobs)
    assert (code, out.splitlines()[-1]) == (0, "8 published at once"), err
    assert "new: 2013-01-01 to 2013-01-04 (4), 4 rows" in out
    assert totals(project) == [1, 2, 3, 4]
    assert project.query("select ds from analytics.flat_latest") == [(DAYS[-1],)]
    with project.metastore() as metastore:
        changed = {each.changed for each in metastore.all_standing() if each.table.name in ("total", "flat")}
    assert len(changed) == 1, "one transaction"
    assert project.staged() == []
    assert list((project.home / "together" / "local").iterdir()) == []
    assert run("plan", *SPAN)[0] == 0


def test_what_stands_is_compared_and_stays_until_somebody_says_yes(run, project, monkeypatch):
    run("backfill", *SPAN)
    land_again(project, DAYS[1])
    before = files_of(project, "total")
    code, out, err = run("backfill", *SPAN, "--stale", "--together")
    assert code == 2
    assert "Publish 4 slices of 2 tables?" in err
    assert "--yes publishes them" in err
    assert totals(project) == [1, 2, 3, 4]
    assert files_of(project, "total") == before, "what is not published goes"
    code, out, _ = run("backfill", *SPAN, "--stale", "--together", "--yes")
    assert (code, totals(project)) == (0, [1, 3, 4, 5])
    assert "erp.orders 2013-01-02 v1 -> v2" in out
    assert run("plan", *SPAN, "--stale")[0] == 0


def test_what_was_published_then_is_told_by_when_it_was_published_not_by_when_it_was_staged(run, project, monkeypatch):
    from dayslice.commands import together  # noqa: PLC0415

    run("backfill", *SPAN[:3], DAYS[2], *SPAN[4:])
    land_again(project, DAYS[0])
    looked = []
    compared = together.compared

    def compared_then(*arguments):
        looked.append(datetime.now(UTC).isoformat())
        return compared(*arguments)

    monkeypatch.setattr(together, "compared", compared_then)
    assert run("backfill", *SPAN, "--stale", "--together", "--yes")[0] == 0
    assert totals(project) == [2, 3, 4, 5]
    out = run("sql", "select n from total order by ds", "--csv", "--as-of", looked[0])[1]
    assert out.split()[1:] == ["1", "2", "3"]
    assert run("why", "total", DAYS[3])[1].count("made again") == 0
    with project.metastore() as metastore:
        versions = metastore.versions(Slice(Table("analytics", "total"), DAYS[0]))
    code, _, err = run("rollback", "--run", versions[0].receipt.run, "--yes")
    assert (code, totals(project)) == (0, [1, 2, 3]), err


def test_a_program_is_told_what_was_compared(run, project):
    run("backfill", *SPAN)
    code, out, _ = run("backfill", *TOGETHER, "--force", "--json")
    told = json.loads(out)
    assert code == 0
    assert {name: [one["is_known_equal"] for one in each["differences"]] for name, each in told["tables"].items()} == {
        "total": [True] * 4,
        "flat": [True] * 4,
    }
    assert len(told["slices"]) == 8
    assert run("backfill", *SPAN, "--together", "--force", "--json")[0] == 2


def test_where_one_slice_fails_nothing_is_published(run, project):
    land_again(project, DAYS[2], "values (1), (1)")
    code, out, err = run("backfill", *TOGETHER)
    assert code == 1
    assert "7 staged, 1 failed" in out
    assert "unique_flat_id: 1 failing" in err
    assert "nothing was published" in err
    assert project.published("total") == project.published("flat") == {}
    assert files_of(project, "total") == set()
    land_again(project, DAYS[2], "values (1)")
    assert run("backfill", *TOGETHER)[0] == 0
    assert totals(project) == [1, 2, 3, 4]


def test_one_that_is_killed_leaves_nothing_and_can_be_run_again(run, project):
    command = [sys.executable, "-m", "dayslice", "backfill", *TOGETHER, "--jobs", "1"]
    process = subprocess.Popen(command, cwd=project.root, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while "staged" not in (line := process.stderr.readline()):
        assert line, "it ended before anything was staged"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    assert project.published("total") == project.published("flat") == {}
    assert len(list((project.home / "together" / "local").glob("*.sqlite"))) == 1
    left = files_of(project, "total") | files_of(project, "flat")
    assert run("backfill", *TOGETHER)[0] == 0
    assert totals(project) == [1, 2, 3, 4]
    assert not left & (files_of(project, "total") | files_of(project, "flat"))
    assert list((project.home / "together" / "local").iterdir()) == []


def test_nothing_is_published_where_somebody_was_quicker(run, project, monkeypatch):
    from dayslice.commands import together  # noqa: PLC0415

    run("backfill", *SPAN)
    stage = together.stage

    def staged_while(*arguments):
        outcomes = stage(*arguments)
        act()
        return outcomes

    monkeypatch.setattr(together, "stage", staged_while)
    act = lambda: project.build(DAYS[0], "flat")  # noqa: E731
    code, _, err = run("backfill", *TOGETHER, "--force", "--jobs", "1")
    assert (code, "was published by somebody else meanwhile" in err) == (1, True), err
    act = lambda: land_again(project, DAYS[0])  # noqa: E731
    code, _, err = run("backfill", *TOGETHER, "--force", "--jobs", "1")
    assert (code, "orders 2013-01-01 was replaced after" in err) == (1, True), err
    assert totals(project) == [1, 2, 3, 4]


def test_what_is_written_anew_for_all_to_see_is_refused_by_name(run, project):
    code, _, err = run("backfill", "--from", DAYS[0], "--to", DAYS[0], "--select", "of_plain", "--together", "--yes")
    assert code == 2
    assert "plain is no table of slices and is written anew for each ds" in err


@pytest.mark.parametrize("how", [[], ["--together", "--yes"]])
def test_a_run_is_taken_back_as_a_whole(run, project, how):
    run("backfill", "--from", DAYS[0], "--to", DAYS[1], "--select", "total", "flat")
    stood = project.published("total")
    land_again(project, DAYS[0])
    code, out, _ = run("backfill", *SPAN, "--stale", "--json", *how)
    wanted = json.loads(out)["run"]
    assert (code, totals(project)) == (0, [2, 3, 4, 5])
    assert wanted in run("versions", "total", "--ds", DAYS[0])[1]
    time.sleep(0.01)
    project.build(DAYS[3], "flat")
    code, out, _ = run("rollback", "--run", wanted, "--yes")
    assert code == 0
    assert "total: 2013-01-01 to 2013-01-02 (2): back to what stood before" in out
    assert "total: 2013-01-03 to 2013-01-04 (2): goes, as nothing stood before" in out
    assert "flat: 2013-01-04: stays, as it was replaced since" in out
    assert project.published("total") == stood
    assert list(project.published("flat")) == [DAYS[0], DAYS[1], DAYS[3]]
    code, out, _ = run("rollback", "--run", wanted, "--yes")
    assert code == 0
    assert "back to" not in out
    assert "no kept version is of it" in run("rollback", "--run", "r1", "--yes")[2]
