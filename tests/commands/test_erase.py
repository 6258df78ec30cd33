"""Nothing of a person is left: in no slice, kept version, stage or file; and nothing brings the person back."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dayslice.engines.target import load_target
from dayslice.metastore.batch import begun
from dayslice.metastore.begun import Begun
from dayslice.rules.slices import Slice, Table
from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables:
      - {name: orders, config: {meta: {person: {email: email}}}}
models:
  - name: flat
    config: {meta: {slice: events, person: {mail: email}}}
    columns: [{name: id, data_tests: [unique]}]
  - name: known
    config: {meta: {slice: cumulative, start: 2013-01-01, person: {mail: email}}}
    columns: [{name: mail, data_type: varchar}]
  - {name: sums, config: {meta: {slice: events, person: none}}}
"""
FILES = {
    "models/models.yml": YAML,
    "models/flat.sql": "select id, email as mail from {{ source('erp', 'orders') }}",
    "models/flat_latest.sql": "{{ latest('flat') }}",
    "models/known.sql": "select mail from {{ slice('flat') }} union select mail from {{ slice(this, -1) }}",
    "models/sums.sql": "select count(*) as n from {{ ref('flat') }}",
}
COLUMNS = "id int, email varchar"
WHO = "ann@example.org"
ROWS = f"values (1, '{WHO}'), (2, 'bob@example.org'), (3, '{WHO}')"
DAYS = ["2013-01-01", "2013-01-02"]
SPAN = ["--from", DAYS[0], "--to", DAYS[1], "--select", "flat", "known", "sums"]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    return WarehouseProject(tmp_path_factory.mktemp("project"), FILES)


@pytest.fixture
def project(parsed, monkeypatch):
    """An empty warehouse, and whom it is about."""
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "a secret of some length")
    monkeypatch.setenv("WHOM", WHO)
    parsed.begin_anew()
    return parsed


@pytest.fixture
def filled(run, project):
    """Two days, each slice of the first in two versions."""
    for ds in DAYS:
        project.land("orders", ds, ROWS, COLUMNS)
    assert run("backfill", *SPAN, "--jobs", "1")[0] == 0
    project.land("orders", DAYS[0], f"{ROWS}, (4, 'cat@example.org')", COLUMNS)
    assert run("backfill", *SPAN, "--stale", "--jobs", "1")[0] == 0


def holding(project, who=WHO):
    """The files that have a value, looked into without the product's own code."""
    found = []
    for file in Path(project.home).rglob("*"):
        if file.suffix == ".parquet":
            rows = duckdb.sql(f"select * from read_parquet('{file}', hive_partitioning = false)").fetchall()
            found += [file] if any(who in row for row in rows) else []
        elif file.is_file() and who.encode() in file.read_bytes():
            found.append(file)
    logs = Path(project.root / "logs").rglob("*") if (project.root / "logs").is_dir() else ()
    return found + [each for each in logs if each.is_file() and who.encode() in each.read_bytes()]


def erase(run, *words):
    return run("erase", "--person", "email=env:WHOM", *words)


@pytest.mark.usefixtures("filled")
def test_every_version_that_has_a_row_of_the_person_is_rewritten_and_a_second_run_finds_nothing(run, project):
    assert holding(project)
    before = {name: project.published(name) for name in ("flat", "known")}
    code, out, _ = erase(run, "--dry-run")
    assert code == 0
    assert "flat: 6 rows would go of 3 versions of 2 slices, 2013-01-01 to 2013-01-02" in out
    assert project.published("flat") == before["flat"]
    code, out, err = erase(run, "--yes")
    assert code == 0, err
    assert "erp.orders: 6 rows gone of 3 versions of 2 slices" in out
    assert "known: 4 rows gone of 4 versions of 2 slices" in out
    assert holding(project) == []
    assert project.query("select ds, id from analytics.flat order by all") == [
        (DAYS[0], 2), (DAYS[0], 4), (DAYS[1], 2),
    ]  # fmt: skip
    assert project.query("select mail from analytics.flat_latest") == [("bob@example.org",)]
    for name, versions in before.items():
        now = project.published(name)
        assert all(
            now[ds].sequence == version.sequence and now[ds].id != version.id for ds, version in versions.items()
        )
    code, out, _ = erase(run, "--yes")
    assert (code, out) == (0, "nothing is there of this person\n")
    assert run("erase", "--again", "--yes")[1] == "nothing is there of them\n"
    assert run("verify", "--deep")[0] == 0


@pytest.mark.usefixtures("filled")
def test_what_is_rewritten_is_not_stale_and_what_is_made_of_it_is(run, project):
    erase(run, "--yes")
    _, out, _ = run("plan", *SPAN, "--stale", "--json")
    assert {each["table"] for each in json.loads(out)["slices"]} == {"sums"}
    assert run("backfill", *SPAN, "--stale")[0] == 0
    assert project.query("select n from analytics.sums order by ds") == [(2,), (1,)]


@pytest.mark.usefixtures("filled")
def test_nobody_is_brought_back_by_a_build_a_backfill_or_a_rollback(run, project):
    erase(run, "--yes")
    assert run("rollback", "flat", "--ds", DAYS[0])[0] == 0
    assert holding(project) == []
    project.land("orders", DAYS[1], ROWS, COLUMNS)  # as a source would that was not told
    assert run("backfill", *SPAN, "--force", "--jobs", "1")[0] == 0
    assert {file.parents[2].name for file in holding(project)} == {"orders"}
    assert project.query("select distinct mail from analytics.known order by 1") == [
        ("bob@example.org",), ("cat@example.org",),
    ]  # fmt: skip
    assert run("erase", "--again", "--yes")[0] == 0
    assert holding(project) == []


@pytest.mark.usefixtures("filled")
def test_the_receipt_and_the_list_do_not_name_the_person(run, project):
    _, out, err = erase(run, "--yes", "--json")
    told = json.loads(out)
    assert WHO not in out + err
    kept = json.loads((project.home / "erasures" / f"{told['id']}.json").read_text())
    assert {each["table"]: each["rows"] for each in kept["tables"]} == {"erp.orders": 6, "flat": 6, "known": 4}
    with project.metastore() as metastore:
        assert [(kind, len(hash)) for kind, hash in metastore.suppressed()] == [("email", 64)]


@pytest.mark.usefixtures("filled")
def test_the_value_can_be_given_on_standard_input_so_that_no_list_of_processes_has_it(project):
    command = [sys.executable, "-m", "dayslice", "erase", "--person", "email=-", "--yes"]
    done = subprocess.run(
        command, cwd=project.root, input=f"{WHO}\n", capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert "flat: 6 rows gone" in done.stdout
    assert holding(project) == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("call", [2, 4, 7])
def test_one_that_is_killed_is_gone_on_with(run, project, monkeypatch, call):
    from dayslice.runner import erasing_locally as module  # noqa: PLC0415

    class Killed(BaseException):
        pass

    count = 0
    remove = module.open_store

    def dying(place):
        nonlocal count
        count += 1
        if count == call:
            raise Killed
        return remove(place)

    with monkeypatch.context() as patch:
        patch.setattr(module, "open_store", dying)
        with pytest.raises(Killed):
            erase(run, "--yes")
    assert erase(run, "--yes")[0] == 0
    assert holding(project) == []
    assert erase(run, "--yes")[1] == "nothing is there of this person\n"


@pytest.mark.usefixtures("filled")
def test_stages_of_dead_builds_go_and_those_of_live_ones_are_waited_for(run, project):
    published = project.published("flat")[DAYS[0]]
    stage = "v20130101000000000000_abcdef"
    place = project.home / "landing" / "analytics" / "flat" / stage
    shutil.copytree(Path(published.location).parent, place)
    note = Begun(project.home, Slice(Table("analytics", "flat"), DAYS[0]), stage)
    with begun(load_target(project.root), "r1"):
        code, out, err = erase(run, "--yes")
        assert (code, "the run r1 is staging slices" in err) == (1, True)
    code, out, err = erase(run, "--yes")
    assert code == 1
    assert "1 slices with such rows are being made at this moment, of flat" in err
    assert "dayslice erase --again" in err
    note.leave()
    code, out, _ = run("erase", "--again", "--yes")
    assert (code, out) == (0, "flat: 1 versions that nobody owns gone\n")
    assert holding(project) == []


def test_what_a_person_asks_wrong_is_said_in_a_sentence(run, project, monkeypatch):
    assert "known are email" in run("erase", "--person", "phone=1", "--yes")[2]
    assert "--person is KIND=VALUE" in run("erase", "--person", WHO, "--yes")[2]
    assert "say whom" in run("erase", "--yes")[2]
    project.land("orders", DAYS[0], ROWS, COLUMNS)
    erase(run, "--yes")
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "another secret of such length")
    code, _, err = run("build", "--ds", DAYS[0], "--select", "flat")
    assert code == 1
    assert "DAYSLICE_HASH_KEY is not the secret that the list of erased persons was made with" in err
    monkeypatch.delenv("DAYSLICE_HASH_KEY")
    assert "16 characters or more in DAYSLICE_HASH_KEY" in run("build", "--ds", DAYS[0], "--select", "flat")[2]


def test_check_demands_a_word_of_each_table_that_reads_a_persons_column(run, project):
    assert run("check")[0] == 0
    said = {
        "does not say which of its columns do: meta: {person: {mail: email}}": YAML.replace(", person: none", ""),
        "person: it has no column maul, so nobody could be found by it: name one of id, mail": YAML.replace(
            "{slice: events, person: {mail: email}}", "{slice: events, person: {maul: email}}"
        ),
        "selects mail, which names a person in flat, and does not say so": YAML.replace(
            "start: 2013-01-01, person: {mail: email}", "start: 2013-01-01, person: none"
        ),
        "person: 'email' is neither none nor columns": YAML.replace("person: {email: email}", "person: email"),
    }
    try:
        for sentence, text in said.items():
            project.write({"models/models.yml": text})
            code, out, err = run("check")
            assert (code, sentence in " ".join((out + err).split())) == (2, True), out + err
    finally:
        project.write({"models/models.yml": YAML})
