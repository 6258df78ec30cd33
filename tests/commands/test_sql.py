"""`dayslice sql`: what is published is asked in SQL, on every engine, and nothing is changed by it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from dayslice.commands.sql_prompt import HISTORY, prompt
from dayslice.errors import UsageError
from tests.sql.project_files import on_orders

FILES = on_orders(
    {"daily": "select id, name from {{ slice('erp', 'orders') }}", "daily_latest": "{{ latest('daily') }}"}
)
ROWS = {"2013-01-05": "values (1, 'a'), (2, null)", "2013-01-06": "values (3, 'x, \"y\"')"}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied, engine):
    made = emptied(make_project(FILES))
    for ds, rows in ROWS.items():
        made.land("orders", ds, rows, "id int,name varchar")
        made.build(ds)
    return made


@pytest.fixture
def ask(run, engine):
    return lambda *arguments: run("sql", *arguments, "--target", engine)


def test_a_table_needs_no_schema_and_a_person_gets_a_table(ask):
    code, out, err = ask("select id, name from daily order by id;")
    assert code == 0
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert [[*map(str.strip, line)] for line in lines] == [
        ["id", "name"], ["1", "a"], ["2", "NULL"], ["3", 'x, "y"'],
    ]  # fmt: skip
    assert err == "(3 rows)\n"
    code, out, _ = ask("select count(*) as n from erp.orders", "--json")
    assert (code, json.loads(out)) == (0, [{"n": 3}])
    assert json.loads(ask("select id from daily_latest", "--json")[1]) == [{"id": 3}]


def test_a_limit_that_cuts_is_said(ask):
    code, out, err = ask("select id from daily order by id", "--limit", "2")
    assert (code, out.split()) == (0, ["id", "1", "2"])
    assert err == "(the first 2 rows; --limit N shows more, --limit 0 all)\n"
    assert ask("select id from daily", "--limit", "3")[2] == "(3 rows)\n"


def test_csv_tells_null_from_an_empty_text(ask):
    code, out, _ = ask("select id, name, '' as nothing from daily order by id", "--csv")
    assert (code, out) == (0, 'id,name,nothing\n1,a,""\n2,,""\n3,"x, ""y""",""\n')


def test_jinja_is_as_in_a_model(ask):
    counted = "select count(*) as n, max(ds) as newest from "
    assert json.loads(ask(counted + "{{ ref('daily') }}", "--json")[1]) == [{"n": 3, "newest": "2013-01-06"}]
    of_a_day = [{"n": 2, "newest": "2013-01-05"}]
    assert json.loads(ask(counted + "{{ ref('daily') }}", "--ds", "2013-01-05", "--json")[1]) == of_a_day
    before = "{{ slice('erp', 'orders', -1) }} as o where '{{ ds() }}' = '2013-01-06'"
    assert json.loads(ask(counted + before, "--ds", "2013-01-06", "--json")[1]) == of_a_day


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("select * from {{ slice('daily') }}", "say which, as in --ds"),
        ("select * from {{ ref('nope') }}", "depends on a node named 'nope' which was not found"),
        ("select * from daily_x", "daily_x"),
        ("select nope from daily", "nope"),
        ("selec 1", "selec"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(ask, sql, sentence):
    code, out, err = ask(sql)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert "inline_query" not in err


def test_a_slice_that_is_not_published_is_no_empty_one(ask):
    code, _, err = ask("select * from {{ ref('daily') }}", "--ds", "2013-01-09")
    assert code == 2
    assert "2013-01-09, which is not published" in err


@pytest.mark.parametrize(
    "sql",
    [
        "create table analytics.made as select 1 as one",
        "create view analytics.made as select 1 as one",
        "insert into analytics.daily select * from analytics.daily",
        "delete from analytics.daily",
        "drop table analytics.daily",
        "drop view analytics.daily_latest",
        "explain analyze insert into analytics.daily select * from analytics.daily",
    ],
)
def test_nothing_can_be_changed(ask, project, sql):
    code, _, err = ask(sql)
    assert code == 2, err
    assert len(err.strip().splitlines()) == 1
    assert len(project.query("select id from analytics.daily")) == 3
    assert len(project.query("select id from analytics.daily_latest")) == 1


def test_sql_comes_from_a_file_or_standard_input(ask, project, monkeypatch):
    (project.root / "asked.sql").write_text("select max(id) as newest from daily")
    assert json.loads(ask("asked.sql", "--json")[1]) == [{"newest": 3}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("select min(id) as oldest from daily"))
    assert json.loads(ask("-", "--json")[1]) == [{"oldest": 1}]
    assert ask("missing.sql")[0] == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO(" "))
    assert "there is no SQL" in ask()[2]


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # Trino has no files of this machine
@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "select * from read_text('{secret}')",
        "select * from '{secret}'",
        "select * from '{part}'",
        "select * from read_parquet('{part}')",
        "select * from glob('{home}/*')",
        "select * from part.parquet",
        "summarize 'part.parquet'",
        'summarize "part.parquet"',
        "copy (select 1) to '{home}/out.csv'",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{home}/other.duckdb' as other",
        "attach '{home}/metastore.sqlite' as other (type sqlite)",
        "export database '{home}/out'",
        "import database '{home}/out'",
        "set enable_external_access = true",
        "select * from duckdb_secrets()",
        "load httpfs",
        "select 1; select 2",
        "call pragma_version()",
        "select * from home",
    ],
)
def test_the_machine_s_files_are_out_of_reach(ask, engine, project, sql, monkeypatch):
    home = project.home
    (home / "secret.csv").write_text("password\nhunter2\n")
    part = next((home / "landing").rglob("*.parquet"))
    (home / "landing" / "part.parquet").write_bytes(part.read_bytes())
    before = sorted(home.rglob("*"))
    monkeypatch.setenv("DAYSLICE_HOME", str(home))
    places = {"home": home, "secret": home / "secret.csv", "part": part, "folder": home / "landing"}
    code, out, err = ask(sql.format(**places))
    assert code == 2, (out, err)
    assert "hunter2" not in out + err
    assert len(err.strip().splitlines()) == 1
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # Trino has no PIVOT
def test_a_pivot_whose_values_are_to_be_found_is_told_how(ask):
    code, _, err = ask("pivot daily on id using count(*)")
    assert (code, "names its values" in err) == (2, True)
    pivoted = "select * from (pivot daily on id in (1, 2) using count(*) group by ds) order by ds limit 1"
    assert json.loads(ask(pivoted, "--json")[1]) == [{"ds": "2013-01-05", "1": 1, "2": 1}]


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # a login of Trino is rendered by dbt
def test_plain_sql_starts_no_dbt_and_reads_what_a_killed_publisher_left(project, engine):
    program = (
        "import sys; sys.argv = ['dayslice', 'sql', 'select count(*) as n from daily', '--json']\n"
        "from dayslice import cli\n"
        "try: cli.main()\n"
        "finally: print(sorted(n for n in sys.modules if n in ('dbt', 'boto3', 'trino', 'pandas', 'pyarrow')))"
    )

    def ask():
        command = [sys.executable, "-c", program]
        return subprocess.run(command, cwd=project.root, env=dict(os.environ), capture_output=True, check=True).stdout

    ask()  # what dbt finds of the profile is kept
    for left in ("dayslice.duckdb", "readers.json"):
        (project.home / left).unlink()
    assert ask().decode().split("\n")[1:3] == ['  {"n": 3}', "]"]
    assert ask().endswith(b"]\n[]\n")


def test_a_prompt_asks_until_it_is_left_and_keeps_its_history(tmp_path):
    asked = []

    def answer(sql):
        asked.append(sql)
        if "wrong" in sql:
            raise UsageError("that was wrong")

    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("select\r1;\rselect wrong;\rselect 2;\rexit\r")
        prompt(SimpleNamespace(name="local", home=tmp_path), answer)
    assert asked == ["select\n1;", "select wrong;", "select 2;"]
    assert "select wrong;" in Path(tmp_path / HISTORY).read_text()
