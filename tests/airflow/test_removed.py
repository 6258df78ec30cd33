"""What `deploy` says of tables that are gone, and `status` of processes that are; Airflow's answers are given."""

from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from dayslice.errors import DaysliceError
from dayslice.orchestration import instance as instances
from dayslice.orchestration.instance import PROCESSES, AirflowInstance, Settings, is_well
from dayslice.orchestration.removed import removed


class Api:
    runs = {"old": ["scheduled__2018-03-01", "manual__1"], "quiet": []}  # noqa: RUF012

    def get(self, path, **query):
        name = path.split("/")[1]
        if name not in self.runs:
            raise DaysliceError("404")
        assert query["state"] == ("queued", "running")
        return {"dag_runs": [{"dag_run_id": each} for each in self.runs[name]]}


class Running(AirflowInstance):
    settings = Settings(8080, "local")
    dead = ()

    def running(self):
        return [1]

    def api(self):
        return Api()

    def services(self):
        alive = SimpleNamespace(create_time=lambda: 1_000.0)
        return [
            SimpleNamespace(directory=Path(name), process=lambda name=name: None if name in self.dead else alive)
            for name in PROCESSES
        ]


@pytest.fixture
def deployment(tmp_path):
    for folder, tables in (("v1", ["old", "wiped", "kept"]), ("v2", ["quiet", "kept"]), ("v3", ["kept"])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.json").write_bytes(orjson.dumps({"tables": {name: {} for name in tables}}))
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / "index.json").write_bytes(b"")
    return SimpleNamespace(project=tmp_path / "v3", entries={"kept": {}}, target="local")


def test_what_is_no_longer_deployed_is_named_with_its_open_runs_and_the_command(deployment, tmp_path):
    found = removed(instance := Running(tmp_path), deployment)
    assert [each.in_words(instance) for each in found] == [
        "old is no longer deployed; open runs: scheduled__2018-03-01, manual__1. "
        "To let Airflow forget it: dayslice airflow wipe old",
        "quiet is no longer deployed; no run of it is open. To let Airflow forget it: dayslice airflow wipe quiet",
    ]


def test_where_airflow_does_not_run_what_the_last_deployment_had_is_named(deployment, tmp_path, monkeypatch):
    monkeypatch.setattr(Running, "running", lambda self: [])
    assert [each.dag_id for each in removed(Running(tmp_path), deployment)] == ["quiet"]


@pytest.mark.parametrize("dead", [(), ("scheduler",), ("triggerer",), ("dag-processor",)])
def test_health_right_after_a_kill_says_what_is_gone(dead, tmp_path, monkeypatch):
    beat = {"status": "healthy", "latest_heartbeat": "2026-11-25T12:00:00+00:00"}
    said = {"metadatabase": {"status": "healthy"}, **{PROCESSES[name]: dict(beat) for name in list(PROCESSES)[1:]}}
    monkeypatch.setattr(instances, "health_of", lambda url: said)
    monkeypatch.setattr(Running, "dead", dead)
    health = Running(tmp_path).health()
    assert {name for name, part in health.items() if part["status"] != "healthy"} == {PROCESSES[name] for name in dead}
    assert is_well(health) is not bool(dead)


def test_a_heart_that_beat_before_the_start_is_another_s(tmp_path, monkeypatch):
    said = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "healthy", "h_heartbeat": "1970-01-01T00:00:00+00:00"},
    }
    monkeypatch.setattr(instances, "health_of", lambda url: said)
    assert Running(tmp_path).health()["scheduler"]["status"] == "starting"
