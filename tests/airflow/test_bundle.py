"""Where Airflow has lost DAGs of a deployment, their file is marked as changed; else it is left alone."""

import os
import time

import pytest
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.utils.session import create_session
from dayslice_airflow.bundle import FILE, FIRST_SECONDS, DeploymentBundle

from dayslice.orchestration.deployment import read_deployment
from dayslice.orchestration.environment import DATABASE, of_api_server

AGE = FIRST_SECONDS + 60


@pytest.fixture
def known(shapes, airflow_database):
    """Airflow's database knows each DAG that is deployed."""
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()
        for dag_id in read_deployment(shapes.home, "local").entries:
            session.merge(DagModel(dag_id=dag_id, bundle_name="dags-folder", is_stale=False, fileloc=FILE))


@pytest.fixture
def bundle(known, shapes, serve, tmp_path):
    serve(shapes)
    (tmp_path / FILE).touch()
    return DeploymentBundle(name="dags-folder", path=str(tmp_path), refresh_interval=30)


def is_read_again(bundle, age=AGE):
    """Whether a look at a file that was read `age` seconds ago marks it as changed."""
    file = bundle.path / FILE
    os.utime(file, (time.time() - age,) * 2)
    before = file.stat().st_mtime
    bundle.refresh()
    return file.stat().st_mtime > before


def lose(dag_id):
    with create_session() as session:
        session.get(DagModel, dag_id).is_stale = True


def test_a_file_whose_dags_are_all_known_is_left_alone(bundle):
    assert not is_read_again(bundle)


def test_a_dag_that_was_lost_is_read_again_after_a_while(bundle):
    lose("daily")
    assert not is_read_again(bundle, age=10), "it may be being read at this moment"
    assert is_read_again(bundle)


def test_what_cannot_be_made_is_tried_less_and_less_often(bundle):
    lose("daily")
    assert is_read_again(bundle)
    assert not is_read_again(bundle)
    assert is_read_again(bundle, age=2 * AGE)


def test_a_file_that_was_laid_while_it_may_have_been_read_is_read_once_more(bundle, monkeypatch):
    bundle.since -= 10 * AGE  # as if it had begun long ago
    assert not is_read_again(bundle, age=10), "what reads it may not be through"
    assert is_read_again(bundle)
    marked = (bundle.path / FILE).stat().st_mtime
    monkeypatch.setattr("dayslice_airflow.bundle.time.time", lambda: marked + 2 * AGE)
    bundle.refresh()
    assert (bundle.path / FILE).stat().st_mtime == marked, "once"
    os.utime(bundle.path / FILE, (marked + 1,) * 2)  # another deployment
    bundle.refresh()
    assert (bundle.path / FILE).stat().st_mtime not in (marked, marked + 1)


def test_no_deployment_and_no_database_stop_nothing(bundle, monkeypatch, tmp_path):
    monkeypatch.setenv("DAYSLICE_HOME", str(tmp_path / "nowhere"))
    assert not is_read_again(bundle)


def test_only_the_api_server_gives_up_on_a_lock_of_sqlite_s_soon():
    ours = {DATABASE: "sqlite:////home/airflow.db?timeout=120", "A": None}
    assert of_api_server(ours) == {DATABASE: "sqlite:////home/airflow.db?timeout=3", "A": None}
    given = {DATABASE: "postgresql://a@b/c?timeout=120"}
    assert of_api_server(given) == given
    assert of_api_server({}) == {}


def test_a_node_without_a_deployment_says_so(tmp_path, caplog):
    (tmp_path / FILE).touch()
    DeploymentBundle(name="dags-folder", path=str(tmp_path), refresh_interval=30).initialize()
    assert caplog.text == ""
    DeploymentBundle(name="dags-folder", path=str(tmp_path / "none"), refresh_interval=30).initialize()
    assert f"{tmp_path / 'none' / FILE} is not there: this node has no deployment. Copy it here" in caplog.text
