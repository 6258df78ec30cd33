"""Many tables are read from files of groups: each DAG from one of them, and a deployment changes only what changed."""

import os

import pytest
from dayslice_airflow import dags
from dayslice_airflow.bundle import FIRST_SECONDS, DeploymentBundle
from hypothesis import given
from hypothesis import strategies as st

from dayslice.errors import UsageError
from dayslice.orchestration import dag_groups
from dayslice.orchestration.dag_groups import file_of, group_of
from dayslice.orchestration.deployment import lay_dag_files, read_deployment
from tests.airflow.test_dags import BundleDagBag

TABLES = [f"t{number}" for number in range(12)]
CONFIG = "{{ config(meta={'slice': 'events', 'owner': 'a'}) }}"
FILES = {f"models/{name}.sql": f"{CONFIG} select 1 as id" for name in TABLES}


@pytest.fixture
def project(make_project, monkeypatch, serve):
    """Twelve tables in four groups, deployed."""
    monkeypatch.setattr(dag_groups, "LARGEST", 4)
    project = make_project(FILES)
    project.deploy()
    serve(project)
    return project


@pytest.fixture
def folder(project):
    return project.home / "deployed" / "local" / "dags"


def laid(folder):
    """The files of groups, and which they are: a file that was laid anew is another one."""
    return {each.name: each.stat().st_ino for each in folder.glob("dayslice_dags*.py")}


def read_from(folder):
    """The file of each DAG, as Airflow reads them."""
    bag = BundleDagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return {name: dag.relative_fileloc for name, dag in bag.dags.items()}


def test_each_dag_is_read_from_one_file_which_its_name_tells(project, folder):
    assert len(laid(folder)) == 4
    assert read_from(folder) == {name: file_of(name, folder).name for name in TABLES}
    found = [dag.dag_id for group in range(4) for dag in dags.deployed_dags(group, 4)]
    assert sorted(found) == sorted(TABLES)


def test_a_new_table_changes_its_own_group_and_those_of_what_it_reads(project, folder):
    before = laid(folder)
    project.write({"models/added.sql": f"{CONFIG} select id from {{{{ ref('t3') }}}}"})
    project.deploy()
    after = laid(folder)
    changed = {name for name in after if before[name] != after[name]}
    # t3 is computed earlier now, and its page says who reads it.
    assert changed == {file_of("added", folder).name, file_of("t3", folder).name}
    assert read_from(folder)["added"] == file_of("added", folder).name


def test_what_all_dags_are_made_with_changes_all(project, folder, monkeypatch):
    before = laid(folder)
    project.deploy()
    assert laid(folder) == before
    monkeypatch.setattr(dag_groups, "__version__", "another")
    project.deploy()
    assert not before.items() & laid(folder).items()


def test_a_refused_deployment_is_read_and_no_dag(project, folder):
    before, said = laid(folder), folder / "last_deployment_dag.py"
    was = said.stat().st_ino
    project.write({"models/wrong.yml": "models: [{name: t1, config: {meta: {sliced: events}}}]"})
    with pytest.raises(UsageError):
        project.deploy()
    assert laid(folder) == before
    assert said.stat().st_ino != was


def test_more_tables_are_more_groups_and_fewer_are_not_fewer(project, folder):
    more = {f"models/more{number}.sql": f"{CONFIG} select 1 as id" for number in range(8)}
    project.write(more)
    project.deploy()
    assert len(laid(folder)) == 8
    assert read_from(folder) == {
        name: file_of(name, folder).name for name in [*TABLES, *(f"more{number}" for number in range(8))]
    }
    for file in more:
        (project.root / file).unlink()
    project.write({})
    project.deploy()
    assert len(laid(folder)) == 8
    assert set(read_from(folder)) == set(TABLES)


def test_a_group_s_file_that_is_gone_is_laid_again(project, folder):
    before = laid(folder)
    file_of("t3", folder).unlink()
    (folder / "dayslice_dags_000.py.swp").touch()  # an editor's
    lay_dag_files(project.home, "local")
    after = laid(folder)
    assert set(after) == set(before)
    assert {name for name in after if after[name] != before[name]} == {file_of("t3", folder).name}


def test_of_lost_dags_only_their_files_are_read_again(project, folder, monkeypatch):
    ages = {each: each.stat().st_mtime - FIRST_SECONDS - 60 for each in folder.glob("dayslice_dags*.py")}
    for each, at in ages.items():
        os.utime(each, (at, at))
    monkeypatch.setattr("dayslice_airflow.bundle.unknown", lambda dag_ids: {"t3"} & set(dag_ids))
    DeploymentBundle(name="dags-folder", path=str(folder), refresh_interval=30).refresh()
    assert [each for each, at in ages.items() if each.stat().st_mtime > at + 1] == [file_of("t3", folder)]


def test_one_dag_is_asked_for_and_read_again(project, folder):
    for each in folder.glob("dayslice_dags*.py"):
        os.utime(each, (0, 0))
    lay_dag_files(project.home, "local", again="t3")
    assert [each for each in folder.glob("dayslice_dags*.py") if each.stat().st_mtime > 0] == [file_of("t3", folder)]


def test_a_task_whose_dag_went_to_another_file_finds_it(project, monkeypatch):
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "t3")
    for group in range(4):
        assert [dag.dag_id for dag in dags.deployed_dags(group, 4)] == ["t3"]
    assert "t3" in read_deployment(project.home, "local", "t3").entries


@given(st.text(), st.integers(0, 8))
def test_of_twice_as_many_groups_a_dag_is_in_the_same_or_a_new_one(dag_id, power):
    groups = 2**power
    assert group_of(dag_id, 2 * groups) in (group_of(dag_id, groups), group_of(dag_id, groups) + groups)
