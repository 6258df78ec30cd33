"""On Trino, too, nothing of a person is left, whoever is killed meanwhile; and nothing brings the person back."""

import io
import json
import multiprocessing
import os
import signal

import pyarrow.orc
import pytest

from dayslice.metastore.hive import HiveMetastore
from dayslice.metastore.journal import SCHEMA as JOURNALS
from dayslice.metastore.stages import STAGING_SCHEMA, stage_name, version_location
from dayslice.rules.keyed_hashes import statement_key
from dayslice.rules.receipts import FINGERPRINT, inputs_of
from dayslice.rules.slices import Slice, Table
from dayslice.runner.erase import erase as erase_person
from dayslice.runner.erasing_on_trino import TrinoEraser
from dayslice.runner.project import load_project
from dayslice.store.choice import open_store
from dayslice.store.s3 import S3

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables:
      - {name: people, config: {meta: {person: {email: email, number: customer}}}}
models:
  - name: people_flat
    config: {meta: {slice: events, bucketed_by: id, bucket_count: 2, person: {Mail: email, number: customer}}}
    columns: [{name: id, data_tests: [unique]}]
  - name: people_known
    config: {meta: {slice: events, person: {mail: email}}}
  - {name: people_sums, config: {meta: {slice: events, person: none}}}
"""
FILES = {
    "models/models.yml": YAML,
    "models/people_flat.sql": "select id, email as Mail, number from {{ source('erp', 'people') }}",
    "models/people_flat_latest.sql": "{{ latest('people_flat') }}",
    "models/people_known.sql": "select distinct mail from {{ ref('people_flat') }}",
    "models/people_sums.sql": "select count(*) as n from {{ ref('people_flat') }}",
}
TABLES = ("erp/people", "analytics/people_flat", "analytics/people_known", "analytics/people_sums")
COLUMNS = "id int, email varchar, number bigint"
WHO, SECRET = "änn@example.org", "a secret of some length"
ROWS = f"values (1, '{WHO}', 7), (2, 'bob@example.org', 8), (3, '{WHO}', 7), (5, cast(null as varchar), 9)"
DAYS = ["2013-01-01", "2013-01-02"]
ALL = ["--select", "people_flat", "people_known", "people_sums"]
SPAN = ["--from", DAYS[0], "--to", DAYS[1], "--target", "trino", "--jobs", "1"]


@pytest.fixture(scope="module")
def project(make_project):
    """Two days, the first of them in two versions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSLICE_HASH_KEY", SECRET)
        patch.setenv("WHOM", WHO)
        made = make_project(FILES)
        made.empty()
        for each in TABLES:
            open_store(made.stack.warehouse).remove(each)
        for ds in DAYS:
            made.land("people", ds, ROWS, COLUMNS)
        yield made


def build(run, *words, leaves_stale=()):
    """Ends with 1 where what was made of it is older than it now."""
    code, out, err = run("backfill", *SPAN, *words)
    assert code == bool(leaves_stale), out + err
    assert all(f"  {each}: " in out + err for each in leaves_stale)


def erase(run, *words, who=("--person", "email=env:WHOM")):
    return run("erase", *who, "--target", "trino", *words)


def holding(project, who=WHO):
    """The objects that have a value, looked into without the product's own code."""
    found = []
    for table in TABLES:
        store = S3(f"{project.stack.warehouse}/{table}")
        for key in store.sizes(""):
            name = key.partition(f"{table}/")[2]
            rows = pyarrow.orc.ORCFile(io.BytesIO(store.read(name))).read().to_pylist()
            found += [f"{table}/{name}"] if any(who in row.values() for row in rows) else []
    return found


def kept(project, name, ds, schema="analytics"):
    with project.metastore() as metastore:
        return metastore.versions(Slice(Table(schema, name), ds))


def statistics_of(project, name, ds):
    """A slice's column statistics, as the metastore has them."""
    with project.metastore() as metastore:
        found = metastore._statistics(Table("analytics", name), (ds,))
    return sorted(str(each) for each in found)


def erase_and_die(project, at):
    """In a process of its own: after readers were shown a version, and its journal was not; or before files go."""
    if at == "shown":
        alter = HiveMetastore._alter

        def dying(self, table, *arguments):
            alter(self, table, *arguments)
            if table.schema != JOURNALS:
                os.kill(os.getpid(), signal.SIGKILL)

        HiveMetastore._alter = dying
    else:
        TrinoEraser._remove = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    erase_person(project, "email", WHO, False, lambda each: None)


def test_every_version_is_rewritten_whoever_is_killed_and_a_second_run_finds_nothing(run, project):
    build(run, *ALL)
    project.land("people", DAYS[0], ROWS.replace("(2,", "(4, 'cat@example.org', 1), (2,"), COLUMNS)
    build(run, *ALL, "--stale")
    assert holding(project)
    before = {name: project.published(name) for name in ("people_flat", "people_known")}
    code, out, err = erase(run, "--dry-run")
    assert code == 0, err
    assert "people_flat: 6 rows would go of 3 versions of 2 slices, 2013-01-01 to 2013-01-02" in out
    assert {name: project.published(name) for name in before} == before

    loaded = load_project(project.root, target="trino")
    for at in ("shown", "removing"):
        child = multiprocessing.get_context("fork").Process(target=erase_and_die, args=(loaded, at))
        child.start()
        child.join(120)
        assert child.exitcode == -signal.SIGKILL
    code, out, err = erase(run, "--yes")
    assert code == 0, err
    assert holding(project) == []
    for name, versions in before.items():
        now = project.published(name)
        for ds, version in versions.items():
            assert (now[ds].sequence, now[ds].id != version.id) == (version.sequence, True)
            assert [each.sequence for each in kept(project, name, ds)] == ([2, 1] if ds == DAYS[0] else [1])
    assert project.query("select ds, id from analytics.people_flat order by 1, 2") == [
        (DAYS[0], 2), (DAYS[0], 4), (DAYS[0], 5), (DAYS[1], 2), (DAYS[1], 5),
    ]  # fmt: skip
    assert project.query("select count(*) from analytics.people_flat_latest") == [(2,)]
    code, out, err = erase(run, "--yes")
    assert (code, out) == (0, "nothing is there of this person\n"), err
    assert erase(run, "--yes", who=["--again"])[1] == "nothing is there of them\n"
    assert project.staged() == []


def test_receipts_stay_true_so_that_only_what_was_made_of_it_is_stale(run, project):
    _, out, _ = run("plan", *SPAN[:6], *ALL, "--stale", "--json")
    assert {each["table"] for each in json.loads(out)["slices"]} == {"people_sums"}
    flat = project.published("people_flat")[DAYS[0]]
    known = inputs_of(project.published("people_known")[DAYS[0]].receipt)
    assert [read.version for read in known.values()] == [flat.id]
    statistics = statistics_of(project, "people_flat", DAYS[0])
    assert len(statistics) == 3
    build(run, "--select", "people_flat", "--force", leaves_stale=["people_sums"])
    again = project.published("people_flat")[DAYS[0]]
    assert again.id != flat.id
    assert (again.receipt.rows, again.receipt.more[FINGERPRINT]) == (flat.receipt.rows, flat.receipt.more[FINGERPRINT])
    assert statistics_of(project, "people_flat", DAYS[0]) == statistics
    assert flat.receipt.bytes == sum(open_store(flat.location).sizes("").values())


def test_nobody_is_brought_back_by_a_build_a_backfill_or_a_rollback(run, project):
    assert run("rollback", "people_flat", "--ds", DAYS[0], "--target", "trino")[0] == 0
    project.land("people", DAYS[1], ROWS, COLUMNS)  # as a source would that was not told
    build(run, *ALL[:3], "--force", "--from", DAYS[1], leaves_stale=["people_sums"])
    assert {each.split("/")[1] for each in holding(project)} == {"people"}
    assert project.query("select distinct mail from analytics.people_known order by 1") == [
        ("bob@example.org",), ("cat@example.org",), (None,),
    ]  # fmt: skip
    for log in (project.root / "logs").glob("*"):
        assert statement_key(SECRET.encode()).hex() not in log.read_text(), "Trino has it, and dbt's log has not"
    asked = "select query from system.runtime.queries where query like '%hmac_sha256%'"
    assert not [sql for (sql,) in project.query(asked) if SECRET in sql or WHO in sql]


def test_stages_of_the_dead_go_and_who_began_before_publishes_nothing(run, project):
    version = "v20130101000000000000_abcdef"
    slice = Slice(Table("analytics", "people_flat"), DAYS[0])
    place = version_location(project.stack.warehouse, slice, version)
    stage = f"{STAGING_SCHEMA}.{stage_name(slice, version)}"
    project.query(f"create table {stage} with (external_location = '{place}') as select '{WHO}' as mail, 1 as id")
    assert holding(project)
    code, out, err = erase(run, "--yes", who=["--again"])
    assert code == 0, err
    assert "people_flat: 1 versions that nobody owns gone" in out
    assert holding(project) == []
    assert project.staged() == []
