"""No user's mistake and no fault of a machine shows a traceback: one sentence, and what to do."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

from dayslice import cli
from dayslice.commands.options import asked
from dayslice.commands.status import blocks
from dayslice.errors import UsageError
from dayslice.metastore.patience import look_only, patience
from dayslice.services.private_file import read_json
from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - {name: erp, config: {meta: {connection: erp, slice: events}}, tables: [{name: orders}]}
"""
DAYSLICE = str(Path(sys.executable).parent / "dayslice")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = WarehouseProject(tmp_path_factory.mktemp("project"), {"models/erp.yml": YAML})
    made.land("orders", "2013-01-05", "select 1 as id", "id int")
    return made


def raised(name: str, *arguments: object) -> Exception:
    """An error of a package, by its dotted name."""
    module, _, kind = name.rpartition(".")
    error: Exception = getattr(import_module(module), kind)(*arguments)
    return error


FAULTS = [
    (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "the disk is full: /x/y; make room"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "quota is used up"),
    (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "not allowed to read or write: /x/y"),
    (OSError(errno.EROFS, "Read-only file system", "/x"), "not allowed to read or write: /x"),
    (OSError(errno.EMFILE, "Too many open files"), "ulimit"),
    (FileNotFoundError(errno.ENOENT, "No such file", "/x/y"), "there is no file: /x/y"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "a service did not answer"),
    (TimeoutError("timed out"), "a service did not answer (timed out)"),
    (MemoryError(), "not enough memory"),
    (KeyError("columns"), "this should not happen (KeyError: 'columns')"),
    (RecursionError("too deep"), "this should not happen"),
    ("duckdb.IOException", "IO Error: Could not set lock on file", "held by another program"),
    ("duckdb.IOException", "The file exists, but it is not a valid DuckDB database file!", "is damaged"),
    ("duckdb.IOException", "Could not write file: No space left on device", "the disk is full"),
    ("duckdb.SerializationException", "Failed to deserialize", "is damaged"),
    ("duckdb.BinderException", "Binder Error: x", "DuckDB: Binder Error: x"),
    ("sqlite3.OperationalError", "database is locked", "held by another program"),
    ("sqlite3.OperationalError", "database or disk is full", "the disk is full"),
    ("sqlite3.DatabaseError", "file is not a database", "is damaged"),
    ("psycopg2.OperationalError", "could not translate host name\nmore", "PostgreSQL: could not translate host name"),
    ("dbt_common.exceptions.DbtRuntimeError", "no such\n  thing", "no such thing"),
    ("botocore.exceptions.NoCredentialsError", "the object store: Unable to locate credentials"),
    ("trino.exceptions.TrinoConnectionError", "failed to resolve", "Trino: failed to resolve"),
    ("thrift.transport.TTransport.TTransportException", 1, "could not connect", "the Hive metastore did not answer"),
    ("yaml.YAMLError", "line 3: bad", "a YAML file cannot be read: line 3: bad"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault[:-1]))
def test_a_fault_is_one_sentence(run, project, monkeypatch, fault):
    *cause, said = fault
    error = cause[0] if isinstance(cause[0], Exception) else raised(*cause)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("dayslice.commands.status.open_metastore", fail)
    code, out, err = run("status")
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_value_of_a_row_is_not_said(run, project, monkeypatch):
    class Violation(Exception):
        pgcode = "22P02"

    Violation.__module__ = "psycopg2.errors"

    def fail(*_: object) -> None:
        raise Violation('invalid input syntax for type integer: "Jane Doe"')

    monkeypatch.setattr("dayslice.commands.status.open_metastore", fail)
    code, _, err = run("status")
    assert code == 1
    assert "SQLSTATE 22P02" in err
    assert "Jane" not in err


def test_a_traceback_can_be_asked_for(project, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setenv("DAYSLICE_TRACEBACK", "1")
    monkeypatch.setattr("dayslice.commands.status.open_metastore", fail)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(sys, "argv", ["dayslice", "status"])
    with pytest.raises(KeyError):
        cli.main()


@pytest.mark.parametrize(
    ("variable", "value", "command", "said"),
    [
        ("DAYSLICE_GRACE_HOURS", "24h", ["retain", "--dry-run"], "DAYSLICE_GRACE_HOURS='24h' is no number of hours"),
        ("DAYSLICE_GRACE_HOURS", "-1", ["retain", "--dry-run"], "is no number of hours"),
        ("DAYSLICE_GRACE_HOURS", "nan", ["retain", "--dry-run"], "is no number of hours"),
        ("DAYSLICE_DS", "yesterday", ["build"], "'yesterday' is no ds"),
        ("DAYSLICE_TARGET", "moon", ["status"], "moon"),
    ],
)
def test_a_bad_variable_is_named(run, project, monkeypatch, variable, value, command, said):
    monkeypatch.setenv(variable, value)
    code, _, err = run(*command)
    assert code == 2
    assert said in err


@pytest.mark.parametrize("damage", [b"", b'{"port": 80', b"[]", b"\xff\xfe", b"{}"])
def test_a_half_written_instance_is_named(run, project, damage):
    file = project.home / "airflow" / "instance.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(damage)
    code, _, err = run("airflow", "status")
    file.unlink()
    assert code == 1
    assert f"{file} is damaged: move it away" in err


def test_what_is_no_json_is_named(tmp_path):
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(Exception, match=r"secrets.json is damaged"):
        read_json(tmp_path / "secrets.json")


def test_a_damaged_warehouse_is_named(run, project):
    file = project.home / "metastore.sqlite"
    whole = file.read_bytes()
    file.write_bytes(b"no database" * 1000)
    code, _, err = run("status")
    file.write_bytes(whole)
    assert code == 1
    assert "is damaged" in err


def test_a_closed_pipe_is_quiet(project):
    command = f"{DAYSLICE} status --json | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], cwd=project.root, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert ended.returncode in (0, 141)  # 0: all of it fitted into the pipe before it was closed


def test_a_pipe_that_is_closed_at_once_ends_with_141(project):
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([DAYSLICE, "status"], cwd=project.root, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_ctrl_c_ends_with_130(project):
    hang = "s.load_project = lambda **_: (print('on', flush=True), time.sleep(60))"
    code = (
        f"import sys, time; from dayslice import cli; import dayslice.commands.status as s; {hang};"
        "sys.argv = ['dayslice', 'status']; cli.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "stopped; what was published stands, and a rerun is safe"


def test_a_question_that_nobody_can_answer_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(UsageError, match="Nobody is there to answer: --yes"):
        asked("Go on?", "--yes goes on without a question")


@pytest.mark.parametrize(("answer", "expected"), [("y", True), ("n", False)])
def test_a_question_takes_the_answer_of_a_pipe(monkeypatch, answer, expected):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n"))
    assert asked("Go on?", "--yes goes on without a question") is expected


def test_sigterm_ends_the_docs_server_too(tmp_path):
    server = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    code = (
        "import sys; from dayslice.commands.docs import serve_until_stopped;"
        f"serve_until_stopped([sys.executable, '-c', {server!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    process.terminate()
    process.wait(timeout=30)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def test_select_takes_words_as_dbt_does(run, project):
    code, out, _ = run("status", "--select", "erp.orders", "source:erp", "--json")
    assert code == 0
    assert "2013-01-05" in out
    code, _, err = run("status", "-s", "erp.orders", "nothing_at_all", "--exclude", "erp.orders", "--json")
    assert code == 2
    assert "names no table" in err


@pytest.mark.parametrize("width", [80, 40, 200])
def test_status_fits_the_screen(run, project, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for ds in ("2013-01-20", "2013-01-31"):
        project.land("orders", ds, "select 1 as id", "id int")
    code, out, _ = run("status", "--from", "2013-01-01", "--to", "2013-01-31")
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= width
    assert out.count("missing") == 24
    _, out, _ = run("status")
    assert max(len(line) for line in out.splitlines()) <= width
    assert "01-31" in out


def test_blocks_hold_every_slice_once():
    slices = [f"2013-01-{day:02}" for day in range(1, 32)]
    assert [ds for block in blocks({}, slices, {}, 80) for ds in block] == slices
    assert blocks({}, [], {}, 80) == []


def test_who_looks_waits_ten_seconds_for_a_metastore_that_is_away(monkeypatch):
    monkeypatch.delenv("DAYSLICE_METASTORE_WAIT", raising=False)
    assert patience() == 60
    look_only()
    assert patience() == 10
    monkeypatch.setenv("DAYSLICE_METASTORE_WAIT", "3")
    look_only()
    assert patience() == 3
    monkeypatch.setenv("DAYSLICE_METASTORE_WAIT", "1m")
    with pytest.raises(UsageError, match="DAYSLICE_METASTORE_WAIT='1m' is no number of seconds"):
        patience()


def test_a_metastore_that_is_away_is_a_warning_and_a_sentence(project):
    environment = {
        **os.environ,
        "DAYSLICE_METASTORE_URI": "thrift://127.0.0.1:9",
        "DAYSLICE_WAREHOUSE": "s3://bucket/files",
        "DAYSLICE_METASTORE_WAIT": "4",
    }
    ended = subprocess.run(
        [DAYSLICE, "status", "--target", "trino"],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    warning, error = ended.stderr.splitlines()
    assert warning.startswith("warning: the Hive metastore thrift://127.0.0.1:9 does not answer")
    assert error.startswith("error: the Hive metastore thrift://127.0.0.1:9 does not answer") and "4 s" in error
