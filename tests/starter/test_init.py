"""`dayslice init` on a source that is named: what it begins with runs at once, and what is there stays."""

import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
import pytest
from dayslice_importers.choosing import first_table

from dayslice.cli import dayslice
from dayslice.errors import DaysliceError, UsageError
from dayslice.services import embedded_postgres
from dayslice.starter.project import project_name

SCHEMA = """
create table "Not Plain" (id int primary key);
create table keyless (n int);
create table billing_small (id int primary key, note text);
create table billing (id int primary key, "Amount" numeric, place point);
create view all_billing as select * from billing;
insert into keyless select * from generate_series(1, 900);
insert into billing_small values (1, 'one');
insert into billing select n, n / 3.0, point(n, n) from generate_series(1, 500) as n;
analyze;
"""


@pytest.fixture(scope="module")
def source():
    with TemporaryDirectory(prefix="dayslice-init-", ignore_cleanup_errors=True) as folder:
        dsn = embedded_postgres.start(Path(folder, "data"))
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(SCHEMA)
        yield dsn


def init(*arguments):
    return dayslice.main(["init", *map(str, arguments)], standalone_mode=False)


def test_the_table_to_begin_with_has_a_key_and_the_most_rows(source):
    with closing(psycopg2.connect(source)) as session:
        assert str(first_table(session, "source")) == "public.billing"


def test_a_project_on_a_source_runs_at_once(source, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DAYSLICE_HOME", raising=False)
    monkeypatch.setenv("DAYSLICE_CONNECTION_POSTGRES", "")
    root = tmp_path / "Our Warehouse"
    init(root, "--source", source)
    said = capsys.readouterr().out
    assert f"export DAYSLICE_CONNECTION_POSTGRES='{source}'" in said
    assert "import postgres.billing" in said
    assert source not in "".join(each.read_text() for each in root.rglob("*") if each.is_file())
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    assert f"--ds {yesterday}" in said
    program = [sys.executable, "-m", "dayslice"]
    subprocess.run([*program, "import", "--all", "--ds", yesterday], cwd=root, check=True)
    stated = subprocess.run([*program, "status", "--json"], cwd=root, check=True, capture_output=True, text=True)
    assert '"rows": 500' in stated.stdout


def test_what_is_there_is_left_as_it_is(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DAYSLICE_CONNECTION_POSTGRES", "")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Makefile").write_text("mine:\n")
    init(tmp_path / "mine", "--source", source)
    init(tmp_path / "mine", "--source", source)
    assert (tmp_path / "mine" / "Makefile").read_text() == "mine:\n"
    assert capsys.readouterr().out.count("wrote ") == 10


@pytest.mark.parametrize("folder", ["2024", "_", "…"])
def test_a_folder_that_makes_no_name_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="begin the folder's name with a letter"):
        project_name(tmp_path / folder)


def test_a_password_is_never_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DAYSLICE_CONNECTION_ERP", "")
    with pytest.raises(DaysliceError) as refused:
        init(tmp_path / "mine", "--source", "postgresql://reader:hidden@127.0.0.1:1/erp")
    assert "hidden" not in str(refused.value) + capsys.readouterr().out
    with pytest.raises(UsageError) as refused:
        init(tmp_path / "mine", "--source", "postgresql://reader:hidden@127.0.0.1:x/erp?nothing=1")
    assert "hidden" not in str(refused.value)
    assert not (tmp_path / "mine").exists()
