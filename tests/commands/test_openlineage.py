"""OpenLineage is told of each publication, by a real receiver on loopback; one that is away costs nobody a slice."""

import json
import logging
import socket
import subprocess
import time
from contextlib import closing

import pytest

from dayslice.metastore import lineage
from dayslice.rules.receipts import fingerprint_of
from tests.receivers import SECRET, ended_runs
from tests.sql.warehouse_project import WarehouseProject
from tests.warm.programs import program

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: flat, config: {meta: {slice: events}}}
  - {name: week, config: {meta: {slice: events}}}
"""
DAYS = ("2013-01-01", "2013-01-02")
PARENT = "airflow/flat.build/01941f29-7c00-7087-8940-40e512c257bd"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = WarehouseProject(
        tmp_path_factory.mktemp("project"),
        {
            "models/models.yml": YAML,
            "models/flat.sql": "select id, kind from {{ source('erp', 'orders') }}",
            "models/week.sql": "select count(*) as n from {{ slice('flat', range=2) }}",
        },
    )
    for ds in DAYS:
        project.land("orders", ds, "select * from (values (1, 'a'), (2, 'b')) as t(id, kind)", "id int, kind varchar")
    return project


@pytest.fixture
def warned():
    """Our warnings, whatever the command line has made of the logger."""
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger(lineage.__name__)
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)


def built(project, *select, ds=DAYS[0]):
    assert all(each.status == "success" for each in project.build(ds, *select).values())


def test_a_publication_tells_what_was_written_and_from_which_versions(project, receiver):
    for ds in DAYS:
        built(project, "flat", ds=ds)
    built(project, "week", ds=DAYS[1])
    lineage.finish()
    assert len(receiver.heard) == 6
    assert set(receiver.keys) == {f"Bearer {SECRET}"}
    flat, week = (ended_runs(receiver.heard)[f"analytics.{name}"] for name in ("flat", "week"))
    namespace = f"duckdb://{project.home / 'dayslice.duckdb'}"

    [written] = flat["outputs"]
    version = project.published("flat")[DAYS[1]]
    assert (written["namespace"], written["name"]) == (namespace, "dayslice.analytics.flat")
    fields = [(each["name"], each["type"]) for each in written["facets"]["schema"]["fields"]]
    assert fields == [("id", "INTEGER"), ("kind", "VARCHAR"), ("ds", "varchar")]
    assert written["facets"]["version"]["datasetVersion"] == version.id
    own = written["facets"]["dayslice_slice"]
    assert (own["ds"], own["version"], own["rollback"]) == (DAYS[1], version.id, False)
    fingerprint = fingerprint_of(version.receipt)
    assert own["fingerprint"]["digest"] == fingerprint.digest
    assert own["fingerprint"]["columns"] == fingerprint.columns
    assert own["receipt"]["logic"] == version.receipt.more["logic"]
    statistics = written["outputFacets"]["outputStatistics"]
    assert (statistics["rowCount"], statistics["fileCount"]) == (2, 1)
    assert statistics["size"] == version.receipt.bytes > 0
    [partition] = written["outputFacets"]["subset"]["outputCondition"]["partitions"]
    assert partition == {"dimensions": {"ds": DAYS[1]}, "identifier": version.id}

    [orders] = flat["inputs"]
    assert orders["name"] == "dayslice.erp.orders"
    assert orders["facets"]["version"]["datasetVersion"] == project.published("orders", "erp")[DAYS[1]].id
    [read] = week["inputs"]
    assert (read["namespace"], read["name"]) == (namespace, "dayslice.analytics.flat")
    versions = {ds: each.id for ds, each in project.published("flat").items()}
    assert {ds: each["version"] for ds, each in read["facets"]["dayslice_slices"]["slices"].items()} == versions
    assert read["facets"]["version"]["datasetVersion"] == versions[DAYS[1]]
    assert read["inputFacets"]["inputStatistics"]["rowCount"] == 4
    assert flat["job"]["namespace"] == "dayslice"
    assert "parent" not in flat["run"]["facets"]


def test_a_process_of_dbt_tells_before_it_ends_and_whose_child_its_runs_are(project, receiver, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", PARENT)
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "warehouse")
    command = [program("dbt"), "build", "--select", "flat", "--vars", f"ds: {DAYS[0]}"]
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)
    told = ended_runs(receiver.heard)["analytics.flat"]
    assert told["job"]["namespace"] == "warehouse"
    parent = told["run"]["facets"]["parent"]
    assert (parent["job"]["namespace"], parent["job"]["name"]) == ("airflow", "flat.build")
    assert parent["run"]["runId"] == PARENT.rpartition("/")[2]


def test_processes_of_a_backfill_tell_of_theirs(project, receiver):
    command = [program("dayslice"), "backfill", "--select", "flat", "--from", DAYS[0], "--to", DAYS[1]]
    with project.metastore() as metastore:
        for version in project.published("flat").values():
            metastore.unpublish(version)
    subprocess.run([*command, "--jobs", "2"], cwd=project.root, check=True, capture_output=True)
    ended = [each for each in receiver.heard if each["eventType"] == "COMPLETE"]
    assert sorted(each["outputs"][0]["facets"]["dayslice_slice"]["ds"] for each in ended) == [*DAYS]


def test_a_rollback_is_told_as_one(project, receiver, run):
    built(project, "flat")
    built(project, "flat")
    lineage.finish()
    receiver.heard.clear()
    code, _, _ = run("rollback", "flat", "--ds", DAYS[0])
    lineage.finish()
    assert code == 0
    told = ended_runs(receiver.heard)["analytics.flat"]
    own = told["outputs"][0]["facets"]["dayslice_slice"]
    assert (own["rollback"], own["version"]) == (True, project.published("flat")[DAYS[0]].id)
    assert told["job"]["facets"]["jobType"]["jobType"] == "ROLLBACK"


@pytest.mark.parametrize("away", ["gone", "hanging", "refusing"])
def test_a_receiver_that_is_away_costs_no_slice_and_one_warning(project, receiver, monkeypatch, warned, away):
    monkeypatch.setenv("DAYSLICE_LINEAGE_WAIT", "0.5")
    if away == "gone":
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            monkeypatch.setenv("OPENLINEAGE_URL", f"http://user:{SECRET}@127.0.0.1:{free.getsockname()[1]}")
    elif away == "hanging":
        receiver.hang.set()
    else:
        receiver.answer = 401
    before = project.published("flat")
    built(project, "flat")
    built(project, "flat", ds=DAYS[1])
    began = time.monotonic()
    lineage.finish()
    assert time.monotonic() - began < 3
    assert {ds: each.id for ds, each in project.published("flat").items()}.items().isdisjoint(
        {ds: each.id for ds, each in before.items()}.items()
    )
    [said] = warned
    assert said.startswith("OpenLineage was not told of 2 of 2 publications (")
    assert ("answered 401" in said) == (away == "refusing")
    assert SECRET not in said


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"OPENLINEAGE_CONFIG": "nowhere.yml"}, "there is no file nowhere.yml"),
        ({"OPENLINEAGE_CONFIG": "dbt_project.yml"}, "name no transport"),
        ({"OPENLINEAGE_URL": "not an address"}, "valid url"),
        ({"OPENLINEAGE_URL": "http://127.0.0.1:1", "DAYSLICE_LINEAGE_WAIT": "long"}, "DAYSLICE_LINEAGE_WAIT='long'"),
    ],
)
def test_settings_that_are_wrong_are_said_and_harm_nothing(project, monkeypatch, warned, capfd, settings, why):
    monkeypatch.chdir(project.root)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lineage, "WAIT_SECONDS", 0.2)
    built(project, "flat")
    lineage.finish()
    assert why in warned[0]
    assert "eventType" not in capfd.readouterr().out


def test_its_own_file_names_another_transport(project, monkeypatch, tmp_path):
    (tmp_path / "openlineage.yml").write_text(
        f"transport: {{type: file, log_file_path: {tmp_path / 'events'}, append: true}}"
    )
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(tmp_path / "openlineage.yml"))
    built(project, "flat")
    lineage.finish()
    told = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [each["eventType"] for each in told] == ["START", "COMPLETE"]


def test_without_settings_nothing_is_told(project, monkeypatch, warned):
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    assert not lineage.is_configured()
    monkeypatch.delenv("OPENLINEAGE_URL")
    monkeypatch.delenv("OPENLINEAGE_DISABLED")
    monkeypatch.setattr(lineage, "Sender", None)  # whoever asks for one would be warned
    built(project, "flat")
    assert warned == []
