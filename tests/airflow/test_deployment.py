"""What is deployed is whole, or it is what was deployed before."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from dayslice.errors import DaysliceError, UsageError
from dayslice.orchestration.dag_index import POOL_SLOTS, IndexedTable
from dayslice.orchestration.deployment import KEPT, failure_of, folder_of, read_deployment
from dayslice.runner.manifest_parts import read_part
from tests.airflow.shapes import FILES
from tests.warm.programs import program


@pytest.fixture(scope="module")
def project(make_project):
    return make_project(FILES)


@pytest.fixture(scope="module")
def deployment(project):
    return project.deploy()


def again(deployment):
    """A second deployment of the same, a moment later, as `deploy` would make it."""
    folder = deployment.project.parent
    newer = folder / deployment.project.name.replace("v2", "v3")
    shutil.copytree(deployment.project, newer)
    index = orjson.loads((newer / "index.json").read_bytes())
    (newer / "index.json").write_bytes(orjson.dumps({**index, "id": newer.name}))
    point(replace(deployment, project=newer))
    return newer


def point(deployment):
    """Let the link name it."""
    current = deployment.project.parent / "current"
    current.unlink(missing_ok=True)
    current.symlink_to(deployment.project.name)


def test_a_copy_on_another_machine_is_whole(make_project, tmp_path):
    """Its home may be another path there."""
    project = make_project(
        {
            "seeds/codes.csv": "code\n1\n",
            "models/coded.sql": "select code from {{ ref('codes') }}",
            "models/models.yml": "models: [{name: coded, config: {meta: {slice: cumulative, owner: a}}}]",
        }
    )
    project.deploy()
    shutil.move(project.home / "deployed", tmp_path / "deployed")
    there = read_deployment(tmp_path, "local", "coded")
    nodes = read_part(there.parts, "coded").nodes.values()
    [seed] = [Path(each.root_path, each.original_file_path) for each in nodes if each.resource_type == "seed"]
    assert seed.read_text() == "code\n1\n"
    assert seed.is_relative_to(there.project)
    assert failure_of(tmp_path, "local") is None


def test_the_index_says_all_that_a_dag_needs(deployment):
    tables = {dag_id: deployment.table(dag_id) for dag_id in deployment.entries}
    assert set(tables) == {"erp.customers", "erp.orders", "erp.clicks", "daily", "running", "week"} | {
        "by_station",
        "wrong",
        "hourly",
        "quarters",
        "stock",
    }
    daily = tables["daily"]
    assert (daily.cron, daily.owner, daily.pool, daily.wait_seconds) == ("0 4 * * *", "finance", "duckdb", 7200)
    assert set(daily.tags) == {"subject:sales", "owner:finance", "finance"}
    assert (set(daily.upstream), set(daily.downstream)) == ({"erp.orders", "erp.clicks"}, {"running", "week"})
    assert daily.build == ("daily", "daily_latest")
    assert [(each.name, each.grain) for each in daily.waits] == [("orders", "day"), ("clicks", "hour")]
    # Its relationship to a table that is built later is tested when that one stands.
    assert daily.tests == ()
    assert [each.split("_")[0] for each in tables["running"].tests] == ["relationships"]
    assert tables["by_station"].freshness == ("source:weather.stations",)
    assert [(each.itself, each.offset, each.start) for each in tables["running"].waits] == [
        (True, -1, "2013-01-05"),
        (False, 0, None),
    ]
    assert [each.periods for each in tables["week"].waits] == [7]
    # The longest way down decides: orders -> daily -> running.
    assert {name: table.priority for name, table in tables.items()} == {
        "erp.customers": 2,
        "erp.orders": 3,
        "erp.clicks": 3,
        "daily": 2,
        "running": 1,
        "week": 1,
        "wrong": 1,
        "hourly": 2,
        "quarters": 1,
        "by_station": 1,
        "stock": 1,
    }
    # What follows is made by the DAG that comes last of those it reads, and its tests with it.
    stock = tables["stock"]
    assert stock.followers == ("summary", "not_null_summary_n")
    assert [each.name for each in stock.follower_waits] == ["orders"]
    assert (tables["erp.clicks"].followers, tables["erp.clicks"].engine_pool) == (("clicked",), "duckdb")
    assert IndexedTable.from_json(orjson.loads(orjson.dumps(stock))) == stock
    assert tables["erp.orders"].late_seconds == 24 * 3600 + 6 * 3600
    assert deployment.pools == {"duckdb": POOL_SLOTS["duckdb"], "source_erp": 2}
    assert POOL_SLOTS["duckdb"] > 1, "builds run in several processes at once"
    assert IndexedTable.from_json(orjson.loads(orjson.dumps(daily))) == daily


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("models/sales/week.sql", "select", "select {{ slice('daily' }}", ["models/sales/week.sql", "line 1"]),
        ("models/sales/week.sql", "select", "select {{ slice('dayly') }}", ["models/sales/week.sql", "dayly"]),
        ("models/erp.yml", "late_after: 6h", "late_afer: 6h", ["models/erp.yml:7: orders", "unknown key 'late_afer'"]),
        ("models/erp.yml", "late_after: 6h", "late_after: 5m", ["models/erp.yml:7: orders", "before its run begins"]),
        ("models/erp.yml", "7 * * * *", "0 0 31 2 *", ["models/erp.yml:8: clicks", "never comes"]),
        ("models/sales/sales.yml", "owner: finance", "owner: 5", ["models/sales/sales.yml:5: daily", "5 is no text"]),
        ("models/sales/sales.yml", "slice: events", "slize: events", ["models/sales/sales.yml:5: daily", "slize"]),
        ("models/sales/sales.yml", "models:", "models: [", ["sales/sales.yml", "line 2"]),
    ],
)
def test_a_mistake_names_file_and_line_and_what_was_deployed_goes_on(project, deployment, file, old, new, said):
    project.write({file: FILES[file].replace(old, new, 1)})
    with pytest.raises(UsageError) as refused:
        project.deploy()
    project.write({file: FILES[file]})
    served = read_deployment(project.home, "local")
    assert (served.id, served.entries) == (deployment.id, deployment.entries)
    for text in (str(refused.value), failure_of(project.home, "local")):
        assert all(each in text for each in said), text
        assert "deployed" not in text, "the person's own file is named"


def test_the_next_whole_project_is_deployed_and_old_ones_go(project, deployment):
    folder = folder_of(project.home, "local")
    for n in range(KEPT + 2):
        (folder / f"v200{n}").mkdir()
    newer = project.deploy()
    assert read_deployment(project.home, "local").id == newer.id != deployment.id
    assert failure_of(project.home, "local") is None
    kept = sorted(each.name for each in folder.glob("v*"))
    assert kept == [*(f"v200{n}" for n in range(4, KEPT + 2)), deployment.id, newer.id]


def cut(file):
    """As a full disk leaves it."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file):
    file.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, emptied, lambda file: file.unlink()])
@pytest.mark.parametrize(
    "name", ["index.json", "target/manifest.json", "parts/macros of all.msgpack", "parts/daily.msgpack", "profiles.yml"]
)
def test_a_broken_deployment_is_passed_over_and_said(project, deployment, harm, name):
    whole = read_deployment(project.home, "local")
    broken = again(whole)
    harm(broken / name)
    try:
        assert read_deployment(project.home, "local").id == whole.id
        assert "cannot be read" in failure_of(project.home, "local")
        assert read_deployment(project.home, "local", "daily").id == whole.id
        # Another table's part is not this task's to look at.
        assert (read_deployment(project.home, "local", "week").id == broken.name) is (name == "parts/daily.msgpack")
    finally:
        shutil.rmtree(broken)
        point(whole)


def test_a_link_that_is_gone_is_said_and_the_newest_is_served(project, deployment):
    whole = read_deployment(project.home, "local")
    (whole.project.parent / "current").unlink()
    assert read_deployment(project.home, "local").id == whole.id
    assert "cannot be read" in failure_of(project.home, "local")
    point(whole)


def test_a_deployment_makes_airflow_read_its_files_again_and_a_refused_one_too(project, deployment):
    files = sorted((folder_of(project.home, "local") / "dags").glob("*.py"))
    assert [each.name for each in files] == ["dayslice_dags.py", "last_deployment_dag.py"]
    for each in files:
        os.utime(each, (0, 0))
    project.write({"models/erp.yml": FILES["models/erp.yml"].replace("late_after: 6h", "late_afer: 6h")})
    with pytest.raises(UsageError):
        project.deploy()
    assert all(each.stat().st_mtime > 0 for each in files)
    project.write({"models/erp.yml": FILES["models/erp.yml"]})
    project.deploy()


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("models/sales/sales.yml", "owner: finance", f"owner: {'f' * 95}", "daily: .*tag cannot be longer than 100"),
        ("models/erp.yml", "connection: erp", f"connection: {'e' * 300}", "erp.orders: .*the name of its pool"),
    ],
)
def test_what_airflow_would_refuse_is_refused_before_and_names_file_and_table(
    project, deployment, file, old, new, said
):
    project.write({file: FILES[file].replace(old, new, 1)})
    with pytest.raises(UsageError, match=rf"models/\S+: {said}"):
        project.deploy()
    project.write({file: FILES[file]})


def test_nothing_deployed_is_said(tmp_path):
    with pytest.raises(DaysliceError, match=r"nothing is deployed for target local .* dayslice airflow deploy"):
        read_deployment(tmp_path, "local")


def test_a_place_that_moves_with_the_project_is_refused(project, monkeypatch):
    monkeypatch.setenv("DAYSLICE_WAREHOUSE", "landing")
    with pytest.raises(UsageError, match="give DAYSLICE_WAREHOUSE as an absolute path"):
        project.deploy()


def test_the_commands(make_project):
    project = make_project(FILES)

    def run(*words):
        own = {key: value for key, value in os.environ.items() if not key.startswith("DAYSLICE_")}
        command = [program("dayslice"), *words]
        return subprocess.run(command, cwd=project.root, env=own, capture_output=True, text=True, check=False)

    checked = run("check")
    assert (checked.returncode, checked.stdout.split(":")[0]) == (0, "11 tables for target local")
    assert checked.stderr == ""
    assert not folder_of(project.home, "local").exists()
    project.write({"models/erp.yml": FILES["models/erp.yml"].replace('"on"', "on")})
    assert 'models/erp.yml: erp.orders: write "on" in quotes' in run("check").stderr
    deployed = run("airflow", "deploy", "--json")
    assert orjson.loads(deployed.stdout)["deployment"] == read_deployment(project.home, "local").id
    assert orjson.loads(deployed.stdout)["removed"] == []
    (project.root / "models/sales/week.sql").unlink()
    deployed = run("airflow", "deploy").stdout
    assert "week is no longer deployed; Airflow does not run" in deployed
    assert "dayslice airflow wipe week" in deployed
    project.write({"models/sales/week.sql": "select {{ nonsense }"})
    refused = run("airflow", "deploy")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: Compilation Error in model week (models/sales/week.sql)"), refused.stderr
    assert "Traceback" not in refused.stderr
