"""A plan says what is made and why; a backfill makes again what it makes stale, or says what is left and how."""

import json
from datetime import date

import pytest

from dayslice.rules.slices import Slice, Table
from tests.sql.project_files import TOTAL, on_orders
from tests.sql.warehouse_project import WarehouseProject

DAYS = [f"2013-01-{day:02}" for day in range(1, 9)]


@pytest.fixture
def project(parsed):
    """Eight days of one order each, nothing built."""
    parsed.begin_anew()
    for ds in DAYS:
        parsed.land("orders", ds, "select 1 as id", "id int")
    return parsed


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    files = on_orders(
        {"total": TOTAL, "summary": "select n from {{ slice('total') }}"},
        {"total": {"slice": "cumulative", "start": date(2013, 1, 1)}, "summary": {"slice": "cumulative"}},
        {"total": [{"name": "n", "data_type": "bigint"}]},
    )
    return WarehouseProject(tmp_path_factory.mktemp("project"), files)


def totals(project):
    return [n for (n,) in project.query("select n from analytics.total order by ds")]


def test_a_backfill_makes_again_what_it_makes_stale(run, project):
    span = ["--from", DAYS[0], "--to", DAYS[4]]
    assert run("build", "--ds", DAYS[2], "--select", "total")[0] == 1  # waits for its earlier slices, from its start
    assert run("backfill", "--from", DAYS[0], "--to", DAYS[6])[0] == 0
    assert totals(project) == [1, 2, 3, 4, 5, 6, 7]
    project.land("orders", DAYS[1], "select * from (values (1), (2), (3)) as v(id)", "id int")

    code, _, err = run("build", "--ds", DAYS[1], "--select", "total")
    assert code == 1, "as with a backfill: later numbers are old ones"
    assert "11 slices stand on older ones than there are now" in err
    assert f"total: {DAYS[2]} to {DAYS[6]} (5): reads total" in err
    assert f"make them again: dayslice backfill --from {DAYS[1]} --to {DAYS[6]} --select total summary --force" in err

    code, _, err = run("backfill", *span, "--select", "total", "--force")
    assert code == 1
    assert totals(project) == [1, 4, 5, 6, 7, 6, 7]
    assert f"total: {DAYS[5]} to {DAYS[6]} (2): reads total" in err
    assert f"summary: {DAYS[1]} to {DAYS[6]} (6)" in err, "the first day's total is what it was"

    code, _, err = run("backfill", *span, "--select", "total", "--force", "--downstream")
    assert (code, "older" in err) == (0, False)
    assert totals(project) == [1, 4, 5, 6, 7, 8, 9]
    assert project.query("select n from analytics.summary order by ds") == [(n,) for n in (1, 4, 5, 6, 7, 8, 9)]


def test_a_rollback_tells_what_stands_on_the_other_version(run, project):
    assert run("backfill", "--from", DAYS[0], "--to", DAYS[2])[0] == 0
    project.land("orders", DAYS[1], "select * from (values (1), (2), (3)) as v(id)", "id int")
    options = ["--from", DAYS[0], "--to", DAYS[2], "--select", "total", "summary", "--force"]
    assert run("backfill", *options)[0] == 0
    assert totals(project) == [1, 4, 5]
    code, out, err = run("rollback", "total", "--ds", DAYS[1])
    assert (code, "published" in out) == (0, True)
    assert f"total: {DAYS[2]}: reads total" in err
    assert f"make them again: dayslice backfill --from {DAYS[1]} --to {DAYS[2]} --select total summary --force" in err
    with project.metastore() as metastore:
        newest = metastore.versions(Slice(Table("analytics", "total"), DAYS[1]))[0].id
    code, out, err = run("rollback", "total", "--ds", DAYS[1], "--to", newest, "--json")
    assert json.loads(out)["left_stale"] == [], "its readers have read this one"


def test_a_plan_tells_reasons_and_ends_with_3_or_0(run, project):
    code, out, _ = run("plan", "--from", DAYS[0], "--to", DAYS[3])
    assert code == 3
    assert f"total: {DAYS[0]} to {DAYS[3]} (4): missing" in out
    assert run("backfill", "--from", DAYS[0], "--to", DAYS[3])[0] == 0
    code, out, _ = run("plan", "--from", DAYS[0], "--to", DAYS[3])
    assert (code, out) == (0, "0 to make, 12 there already\n")

    options = ["--from", DAYS[1], "--to", DAYS[1], "--select", "total", "--force"]
    code, out, err = run("plan", *options)
    assert code == 3
    assert f"total: {DAYS[1]}: forced" in out
    assert f"total: {DAYS[2]} to {DAYS[3]} (2): reads total" in err
    code, out, _ = run("plan", *options, "--downstream", "--json")
    document = json.loads(out)
    assert document["left_stale"] == []
    assert document["slices"][0] == {"table": "total", "ds": DAYS[1], "reason": "forced"}
    assert {"table": "total", "ds": DAYS[2], "reason": f"downstream of total {DAYS[1]}"} in document["slices"]
    assert totals(project) == [1, 2, 3, 4], "nothing is made by a plan"


def test_what_failed_is_listed_with_the_command_that_tries_it_again(run, project):
    (file,) = (project.home / "landing").rglob(f"*/ds={DAYS[1]}/*.parquet")
    file.write_bytes(file.read_bytes()[:10])
    code, out, err = run("backfill", "--from", DAYS[0], "--to", DAYS[2], "--select", "total", "summary")
    assert (code, out.splitlines()[0]) == (1, "2 published, 1 failed, 3 skipped")
    assert f"try those again: dayslice backfill --from {DAYS[1]} --to {DAYS[2]} --select total summary" in err


def test_a_period_that_is_not_over_is_not_due(run, project):
    code, out, err = run("plan", "--from", "2099-01-01", "--to", "2099-01-02", "--select", "total")
    assert (code, out) == (0, "0 to make\n")
    assert "2 slices are not due, as their period is not over (total 2099-01-01, …); --open-period" in err
    code, out, _ = run("plan", "--from", "2099-01-01", "--to", "2099-01-02", "--select", "total", "--open-period")
    assert code == 3


def test_a_build_of_a_period_that_is_not_over_is_asked_for_by_name(run, project):
    project.land("orders", "2099-01-01", "select 1 as id", "id int")
    code, _, err = run("build", "--ds", "2099-01-01", "--select", "summary")
    assert code == 1
    assert "--open-period" in err
