"""What Trino's processes are started with; `tests/nodes` starts them."""

import pytest

from dayslice.errors import UsageError
from dayslice.services.stack.machine import Stack


def properties(folder):
    lines = (folder / "etc" / "config.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def configured(folder, **settings):
    stack = Stack(folder, **settings)
    stack.trino.directory.mkdir(parents=True, exist_ok=True)
    stack.trino.configure()
    return stack


def test_with_workers_the_coordinator_computes_nothing_and_a_query_has_all_their_memory(tmp_path):
    stack = configured(tmp_path, workers=2, heap="2G", retry_policy="task")
    for worker in stack.workers():
        worker.prepared()
    own, worker = properties(tmp_path / "trino"), properties(tmp_path / "worker-2")
    assert (own["coordinator"], own["node-scheduler.include-coordinator"]) == ("true", "false")
    assert own["query.max-memory"] == f"{2 * 1228}MB"
    assert own["retry-policy"] == "TASK"
    assert (worker["coordinator"], worker["discovery.uri"]) == ("false", own["discovery.uri"])
    assert worker["query.max-memory-per-node"] == own["query.max-memory-per-node"] == "1228MB"
    assert worker["catalog.config-dir"] == own["catalog.config-dir"]
    secret = stack.store.credentials()[1]
    assert not any(secret in each.read_text() for each in tmp_path.rglob("*.properties"))


def test_settings_are_remembered_and_without_workers_one_process_does_all(tmp_path):
    configured(tmp_path, workers=2, retry_policy="task")
    again = Stack(tmp_path)
    assert [each.name for each in again.services()][3:] == ["Trino", "Trino worker 1", "Trino worker 2"]
    assert again.trino.settings.retry_policy == "task"
    alone = configured(tmp_path, workers=0)
    assert properties(tmp_path / "trino")["node-scheduler.include-coordinator"] == "true"
    assert "retry-policy" not in properties(tmp_path / "trino")
    assert [each.name for each in alone.services()][3:] == ["Trino"]


def test_a_worker_keeps_its_port_and_takes_another_where_that_is_taken(tmp_path, monkeypatch):
    stack = configured(tmp_path, workers=1)
    [worker] = stack.workers()
    monkeypatch.setattr("dayslice.services.stack.trino_worker.listening", lambda port: port == stack.ports.trino + 1)
    worker.prepared()
    taken = worker.port
    assert taken != stack.ports.trino + 1
    worker.prepared()
    assert worker.port == taken


def test_a_retry_policy_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(UsageError, match="none, task"):
        Stack(tmp_path, retry_policy="query")
