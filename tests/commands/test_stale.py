"""What stands and is not what would be made now is told and made again; what reads the same content is kept."""

import json

import pytest

from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: kinds
    config: {meta: {slice: events}}
  - name: counted
    config: {meta: {slice: events}}
"""
KINDS = "select distinct kind from {{ source('erp', 'orders') }} where kind <> 'q'"
DAYS = [f"2013-01-{day:02}" for day in range(1, 5)]
SPAN = ["--from", DAYS[0], "--to", DAYS[3]]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    files = {
        "models/models.yml": YAML,
        "models/kinds.sql": KINDS,
        "models/counted.sql": "select count(*) as n from {{ ref('kinds') }}",
    }
    return WarehouseProject(tmp_path_factory.mktemp("project"), files)


@pytest.fixture
def project(parsed):
    """Four days, landed."""
    parsed.begin_anew()
    parsed.write({"models/kinds.sql": KINDS, "models/models.yml": YAML})
    for ds in DAYS:
        land(parsed, ds, "(1, 'a'), (2, 'b')")
    return parsed


@pytest.fixture
def built(run, project):
    """The same, built."""
    assert run("backfill", *SPAN)[0] == 0
    return project


def land(project, ds, values):
    project.land("orders", ds, f"select * from (values {values}) as v(id, kind)", "id int, kind varchar")


def counts(project):
    return [n for (n,) in project.query("select n from analytics.counted order by ds")]


def test_an_input_that_is_newer_is_told_and_what_reads_the_same_is_kept(run, built):
    project = built
    code, out, err = run("plan", *SPAN)
    assert (code, err) == (0, "")
    land(project, DAYS[1], "(1, 'a'), (1, 'b'), (5, 'b')")
    land(project, DAYS[2], "(1, 'a'), (1, 'b'), (5, 'c')")
    code, out, err = run("plan", *SPAN)
    assert code == 0, "nothing is missing"
    assert f"kinds: {DAYS[1]} to {DAYS[2]} (2): input newer: erp.orders" in err
    assert f"make them again: dayslice backfill --from {DAYS[0]} --to {DAYS[3]} --stale" in err

    code, out, _ = run("plan", *SPAN, "--stale")
    assert code == 3
    assert f"counted: {DAYS[1]} to {DAYS[2]} (2): downstream of kinds" in out
    assert "4 to make, 8 there already" in out
    assert "by past receipts: about " in out
    assert max(len(line) for line in out.splitlines()) <= 80

    before = versions(project, "counted")
    code, out, _ = run("backfill", *SPAN, "--stale")
    assert code == 0
    assert "3 published, 1 kept, 8 there already" in out
    assert counts(project) == [2, 2, 3, 2]
    after = versions(project, "counted")
    assert [ds for ds in DAYS if after[ds] != before[ds]] == [DAYS[2]]
    assert run("plan", *SPAN, "--stale")[0] == 0


def test_a_build_with_the_same_content_leaves_nothing_stale(run, built):
    project = built
    land(project, DAYS[1], "(3, 'b'), (4, 'a')")
    code, _, err = run("build", "--ds", DAYS[1], "--select", "kinds")
    assert (code, "stand on older ones" in err) == (0, False)
    land(project, DAYS[1], "(3, 'c')")
    code, _, err = run("build", "--ds", DAYS[1], "--select", "kinds")
    assert f"counted: {DAYS[1]}: reads kinds" in err


def test_logic_and_audits_that_changed_are_told_apart(run, built):
    project = built
    project.write({"models/kinds.sql": KINDS.replace("'q'", "'b'")})
    code, out, _ = run("plan", *SPAN, "--stale", "--json")
    document = json.loads(out)
    assert code == 3
    assert {each["reason"] for each in document["slices"] if each["table"] == "kinds"} == {"logic changed"}
    assert {each["table"] for each in document["slices"]} == {"kinds", "counted"}
    assert document["cost"]["rows"] == 4 * 2 + 4 * 1
    project.write(
        {"models/kinds.sql": KINDS, "models/models.yml": YAML + "    columns: [{name: n, data_tests: [not_null]}]\n"}
    )
    code, out, err = run("plan", *SPAN)
    assert f"counted: {DAYS[0]} to {DAYS[3]} (4): audits changed" in err
    assert "kinds" not in err
    code, out, _ = run("backfill", *SPAN, "--stale")
    assert "4 published, 8 there already" in out
    assert run("plan", *SPAN, "--stale")[0] == 0


def test_what_is_gone_makes_nothing_stale(run, built):
    run("unpublish", "erp.orders", DAYS[1], "--yes")
    assert DAYS[1] not in built.published("orders", "erp")
    code, _, err = run("plan", *SPAN, "--select", "kinds", "counted")
    assert (code, err) == (0, "")


def test_what_waits_for_nothing_that_comes_is_blocked(run, built):
    code, out, err = run("plan", "--from", DAYS[3], "--to", "2013-01-06", "--select", "kinds", "counted")
    assert code == 3
    assert "kinds: 2013-01-05 to 2013-01-06 (2): missing" in out
    assert "4 slices wait for what neither stands nor is made, and are not tried:" in err
    assert "  kinds 2013-01-05: blocked by erp.orders 2013-01-05, … (2 slices)" in err
    assert "  counted 2013-01-05: blocked by kinds 2013-01-05, … (2 slices)" in err, "nor what reads those"
    with_all = ["--from", DAYS[3], "--to", "2013-01-06", "--select", "kinds", "counted", "--jobs", "1", "--json"]
    code, out, err = run("backfill", *with_all)
    told = json.loads(out)
    assert code == 1
    assert {(each["table"], each["ds"]) for each in told["blocked"]} == {
        (table, ds) for table in ("kinds", "counted") for ds in ("2013-01-05", "2013-01-06")
    }
    assert [each for each in told["slices"] if each["ds"] > DAYS[3]] == [], "they are not tried"
    code, _, err = run("backfill", *with_all[:-1], "--together", "--yes")
    assert (code, "nothing was staged, as not all of it could be" in err) == (1, True)


def versions(project, table):
    return {ds: version.id for ds, version in project.published(table).items()}
