"""`dayslice versions` and `rollback`: an earlier version is the published one again, with its audits' record."""

import json
import subprocess

import pytest

from tests.sql.project_files import on_orders
from tests.warm.programs import program


@pytest.fixture(scope="module")
def project(make_project):
    columns = {"daily": [{"name": "id", "data_tests": ["unique"]}]}
    project = make_project(on_orders({"daily": "select id from {{ slice('erp', 'orders') }}"}, columns=columns))
    project.empty()
    for rows in ("values 1", "values 1, 2", "values 1, 2, 3"):
        project.land("orders", "2013-01-05", rows, "id int")
        assert project.build("2013-01-05", "daily")["daily"].status == "success"
    return project


def run(project, *command):
    command = [program("dayslice"), *command]
    done = subprocess.run(command, check=False, cwd=project.root, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_versions_are_listed_and_rolled_back_and_forth(project):
    code, out, _ = run(project, "versions", "daily", "--ds", "2013-01-05", "--json")
    versions = json.loads(out)
    assert code == 0
    assert [(each["rows"], each["published"]) for each in versions] == [(3, True), (2, False), (1, False)]
    assert all(each["audits"] == "1 passed, 0 warned" and each["files"] > 0 and each["bytes"] > 0 for each in versions)

    code, out, _ = run(project, "rollback", "daily", "--ds", "2013-01-05")
    assert code == 0
    assert versions[1]["version"] in out
    assert project.query("select count(*) from analytics.daily") == [(2,)]
    code, out, _ = run(project, "rollback", "daily", "--ds", "2013-01-05", "--to", versions[0]["version"], "--json")
    assert json.loads(out)["before"] == versions[1]["version"]
    assert project.query("select count(*) from analytics.daily") == [(3,)]
    _, out, _ = run(project, "versions", "daily", "--ds", "2013-01-05", "--json")
    assert json.loads(out) == versions, "each has the receipt that it had"
    _, out, _ = run(project, "versions", "daily", "--ds", "2013-01-05")
    assert "published" in out


def test_trino_s_planner_knows_the_rows_of_a_slice_without_reading_it(project):
    *_, table = project.query("show stats for (select * from analytics.daily where ds = '2013-01-05')")
    assert table[0] is None, "the last line is the table's own"
    assert table[4] == 3


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["rollback", "daily", "--ds", "2013-01-09"], 2, "no earlier version is kept"),
        (["rollback", "daily", "--ds", "2013-01-05", "--to", "v1999"], 2, "0 kept versions begin with 'v1999'"),
        (["rollback", "daily", "--ds", "2013-01-05", "--to", "v"], 2, "3 kept versions begin with 'v'"),
        (["versions", "nothing", "--ds", "2013-01-05"], 2, "there is no table 'nothing'"),
    ],
)
def test_a_wrong_wish_is_one_clear_sentence(project, command, code, said):
    found, _, error = run(project, *command)
    assert found == code
    assert said in error
    assert "Traceback" not in error


def test_a_version_whose_files_are_gone_is_refused(project):
    _, out, _ = run(project, "versions", "daily", "--ds", "2013-01-05", "--json")
    oldest = json.loads(out)[-1]
    bucket, key = oldest["location"].removeprefix("s3://").split("/", 1)
    client = project.stack.store.client()
    for each in client.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]:
        client.delete_object(Bucket=bucket, Key=each["Key"])
    code, _, error = run(project, "rollback", "daily", "--ds", "2013-01-05", "--to", oldest["version"])
    assert code == 1
    assert "0 of its 1 files" in error
    assert project.query("select count(*) from analytics.daily") == [(3,)]


def statistics(project):
    """As Trino shows them: distinct values, nulls, least and greatest of each column of the slice."""
    project.query("call system.flush_metadata_cache()")
    shown = project.query("show stats for (select * from analytics.measured where ds = '2013-01-05')")
    return {name: (distinct, nulls, low, high) for name, _, distinct, nulls, _, low, high in shown if name}


def test_a_slice_has_its_own_column_statistics_when_first_published_replaced_and_rolled_back(project):
    # The statistics of a time are of a kind that the client of the metastore does not know: the others' stay.
    times = "timestamp '2018-03-01 10:00:00' as made_at"
    select = f"select id, cast(id as varchar) as name, {times} from {{{{ slice('erp', 'orders') }}}}"
    project.write({"models/measured.sql": select})
    project.land("orders", "2013-01-05", "select n from unnest(sequence(1, 1000)) as t(n)", "id int")
    project.build("2013-01-05", "measured")
    first = statistics(project)
    assert first["id"][1:] == (0.0, "1", "1000")
    assert 950 < first["id"][0] < 1050
    assert 950 < first["name"][0] < 1050

    project.land("orders", "2013-01-05", "select n + 5000 from unnest(sequence(1, 10)) as t(n)", "id int")
    project.build("2013-01-05", "measured")
    replaced = statistics(project)
    assert replaced["id"] == (10.0, 0.0, "5001", "5010")
    assert replaced["name"][0] == 10.0

    code, _, error = run(project, "rollback", "measured", "--ds", "2013-01-05")
    assert code == 0, error
    assert statistics(project) == first
