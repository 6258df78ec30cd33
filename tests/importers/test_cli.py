"""`dayslice import` as a person calls it: what it says, its exit codes, a dry run that writes nothing."""

import json
import os
from contextlib import closing

import psycopg2
import pytest

from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: cli}}
    tables:
      - name: orders
      - name: gone
      - name: events
        config: {meta: {slice: events, on: at, streams: 1}}
models:
  - name: counted
    config: {meta: {slice: events}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory, make_database):
    database = make_database()
    database.execute(
        "create table orders (id int primary key, \"Full Name\" text); insert into orders values (1, 'Ä'), (2, null);"
        "create table events as select 1 as id, timestamptz '2013-01-05 12:00+00' as at"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSLICE_CONNECTION_CLI", database.dsn)
        files = {
            "models/erp.yml": YAML,
            "models/counted.sql": "select count(*) as n from {{ source('erp', 'events') }}",
        }
        yield WarehouseProject(tmp_path_factory.mktemp("project"), files)


DS = ("--ds", "2013-01-05", "--as-of-now")


def test_a_dry_run_shows_what_would_be_read_and_writes_nothing(run, project):
    code, out, err = run("import", "erp.orders", "erp.events", *DS, "--dry-run")
    assert (code, err) == (0, "")
    assert 'from "public"."orders"' in out
    assert "\"at\" >= '2013-01-05T00:00:00+00:00'" in out
    assert "ds=2013-01-05" in out
    assert not (project.root / "warehouse" / "landing").exists()
    code, out, _ = run("import", "erp.orders", "erp.gone", *DS, "--dry-run", "--json")
    assert code == 1
    said = json.loads(out)
    assert [each["table"] for each in said["imports"]] == ["erp.orders"]
    assert said["refused"][0]["table"] == "erp.gone"


def test_one_table_that_fails_is_one_line_and_the_others_are_done(run, project):
    code, out, err = run("import", "--all", *DS)
    assert code == 1
    assert out == "2 published, 1 failed\n"
    assert "there is no table public.gone" in err
    assert "2013-01-05 erp.orders: 2 rows in" in err
    assert project.query("select count(*) from erp.orders") == [(2,)]
    assert project.query("select count(*) from erp.events") == [(1,)]


def test_all_done_ends_with_0(run):
    code, out, err = run("import", "erp.events", "--ds", "2013-01-05", "--json")
    assert (code, err) == (0, "")
    assert [each["status"] for each in json.loads(out)["slices"]] == ["published"]


def test_what_stands_on_a_slice_that_was_landed_anew_is_told(run, project):
    assert run("import", "erp.events", *DS)[0] == 0
    assert run("build", "--ds", "2013-01-05")[0] == 0
    code, _, err = run("import", "erp.events", *DS)
    assert (code, "older ones" in err) == (0, False), "with the same content nothing is stale"
    with closing(psycopg2.connect(os.environ["DAYSLICE_CONNECTION_CLI"])) as source, source, source.cursor() as cursor:
        cursor.execute("insert into events values (2, '2013-01-05 13:00+00')")
    code, _, err = run("import", "erp.events", *DS)
    assert code == 0
    assert "counted: 2013-01-05: reads erp.events" in err
    assert "make them again: dayslice backfill --from 2013-01-05 --to 2013-01-05 --select counted --force" in err
