"""`dayslice alert`: one message for one cause, each once, to real receivers; no address is ever printed."""

import email
import io
import sys
from datetime import UTC, datetime, timedelta
from email import policy

import pytest

from dayslice.rules.slices import Table
from dayslice.services.service import free_port
from tests.receivers import SECRET, mail_server, web_hook
from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events, owner: erp-team, late_after: 6h}}
    tables: [{name: orders}, {name: items}]
models:
  - {name: flat, config: {meta: {slice: events, owner: sales}}, columns: [{name: id, data_tests: [unique]}]}
  - {name: report, config: {meta: {slice: events}}}
  - {name: summary, config: {meta: {slice: events}}}
"""
TODAY = datetime.now(UTC).date()
DAYS = [(TODAY - timedelta(days=back)).isoformat() for back in (5, 4, 3, 2)]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    files = {
        "models/models.yml": YAML,
        "models/flat.sql": "select id from {{ source('erp', 'orders') }} join {{ source('erp', 'items') }} using (id)",
        "models/report.sql": "select count(*) as n from {{ ref('flat') }}",
        "models/summary.sql": "select n from {{ ref('report') }}",
    }
    return WarehouseProject(tmp_path_factory.mktemp("project"), files)


@pytest.fixture
def project(parsed):
    """Two days stand, and from the third on nothing does."""
    with parsed.metastore() as metastore:
        for schema, name in (("erp", "orders"), ("erp", "items"), *(("analytics", n) for n in ("flat", "report"))):
            for version in metastore.published(Table(schema, name)).values():
                metastore.unpublish(version)
    for folder in ("alerts", "staging"):
        for file in (parsed.home / folder).glob("*"):
            file.unlink()
    for ds in DAYS[:2]:
        for table in ("orders", "items"):
            parsed.land(table, ds, "select 1 as id", "id int")
        parsed.build(ds, "flat", "report")
    return parsed


def test_one_message_for_one_cause_and_each_once(run, project, monkeypatch):
    with web_hook() as (address, heard):
        monkeypatch.setenv("DAYSLICE_ALERTS", address)
        code, out, err = run("alert")
        assert (code, out) == (0, "told 1 cause to 1 of 1\n")
        (path, title, message) = heard[0]
        assert path.endswith(SECRET)
        assert title == f"Dayslice: erp.items {DAYS[2]} and 1 more of erp is late"
        first, *more = message.splitlines()
        assert first.startswith(f"erp.items {DAYS[2]} is late; its import was not run yet, or its run failed")
        assert "owner erp-team" in first
        assert more == ["the same: erp.orders", "held up by it: flat, report", f"dayslice why erp.items {DAYS[2]}"]
        assert run("alert")[1] == "told 0 causes to 1 of 1\n"
        assert len(heard) == 1
        # It came, and its reader was refused: that is a cause of its own.
        for table, rows in (("orders", "select * from (values (1), (1)) as v(id)"), ("items", "select 1 as id")):
            project.land(table, DAYS[2], rows, "id int")
        project.build(DAYS[2], "flat")
        run("alert")
        titles = [each[1] for each in heard[1:]]
        assert titles == [
            f"Dayslice: erp.items {DAYS[3]} and 1 more of erp is late",
            f"Dayslice: flat {DAYS[2]} is refused",
        ]
        assert "its last try was refused: flat" in heard[2][2]
        assert "held up by it: report" in heard[2][2]
        assert SECRET not in out + err


def test_a_cause_that_comes_again_is_told_again(run, project, monkeypatch):
    with web_hook() as (address, heard):
        monkeypatch.setenv("DAYSLICE_ALERTS", address)
        run("alert", "--select", "erp.orders")
        project.land("orders", DAYS[2], "select 1 as id", "id int")
        run("alert", "--select", "erp.orders")
        with project.metastore() as metastore:
            (version,) = metastore.published(Table("erp", "orders"), [DAYS[2]]).values()
            metastore.unpublish(version)
        run("alert", "--select", "erp.orders")
        assert [each[1] for each in heard] == [f"Dayslice: erp.orders {ds} is late" for ds in (*DAYS[2:], DAYS[2])]


def test_mail_with_a_login_and_a_run_that_failed(run, project, monkeypatch):
    with mail_server() as (address, taken):
        monkeypatch.setenv("DAYSLICE_ALERTS", address)
        monkeypatch.setattr(sys, "stdin", io.StringIO("the source does not answer\nTraceback of many lines"))
        code, out, err = run("alert", "--select", "erp.items", "--failed", DAYS[2])
        assert (code, out, err) == (0, "told 1 cause to 1 of 1\n", "")
        ((recipients, text),) = taken
        mail = email.message_from_string(text, policy=policy.default)
        assert recipients == ["team@example.com"]
        assert mail["subject"] == f"Dayslice: erp.items {DAYS[2]} failed"
        body = mail.get_body(("plain", "html")).get_content()
        assert "the source does not answer" in body
        assert "Traceback" not in body
        # What waits for it is late later: the same cause.
        run("alert", "--select", "erp.items")
        assert len(taken) == 1


def test_who_could_not_be_told_is_named_without_the_address(run, project, monkeypatch):
    with web_hook() as (address, heard):
        gone = f"json://user:{SECRET}@127.0.0.1:{free_port()}/{SECRET}"
        monkeypatch.setenv("DAYSLICE_ALERTS", f"{gone}\n{address}")
        code, out, err = run("alert")
        assert (code, out) == (1, "told 1 cause to 1 of 2\n")
        assert "could not tell the 1st (json)" in err
        assert SECRET not in out + err
        monkeypatch.setenv("DAYSLICE_ALERTS", gone)
        run("alert", "--select", "erp.orders")
    assert len(heard) == 1


def test_nobody_told_is_tried_again(run, project, monkeypatch):
    monkeypatch.setenv("DAYSLICE_ALERTS", f"json://127.0.0.1:{free_port()}/{SECRET}")
    assert run("alert")[0] == 1
    with web_hook() as (address, heard):
        monkeypatch.setenv("DAYSLICE_ALERTS", address)
        run("alert")
    assert len(heard) == 1


def test_what_is_wrong_with_an_address_is_said_without_it(run, project, monkeypatch, tmp_path):
    monkeypatch.setenv("DAYSLICE_ALERTS", f"slakc://{SECRET}/x")
    code, out, err = run("alert")
    assert code == 2
    assert "the 1st (slakc) is no address that Apprise knows" in err
    assert SECRET not in out + err
    monkeypatch.setenv("DAYSLICE_ALERTS", str(tmp_path / "none"))
    assert "cannot be read: No such file or directory" in run("alert")[2]
    monkeypatch.delenv("DAYSLICE_ALERTS")
    code, _, err = run("alert")
    assert code == 2
    assert "DAYSLICE_ALERTS is not set" in err


def test_a_dry_run_and_a_test(run, project, monkeypatch, tmp_path):
    code, out, _ = run("alert", "--dry-run")
    assert code == 0
    assert out.startswith(f"erp.items {DAYS[2]} and 1 more of erp is late\n")
    assert not list((project.home / "alerts").glob("*"))
    with web_hook() as (address, heard):
        file = tmp_path / "addresses"
        file.write_text(f"# the team's\n{address}\n")
        monkeypatch.setenv("DAYSLICE_ALERTS", str(file))
        assert run("alert", "--test")[1] == "told 1 cause to 1 of 1\n"
    assert heard[0][1] == "Dayslice: a test"
