"""Tests that share a service are of one group: started twice, it would take what the other process saves."""

from pathlib import Path

from tests.sharing import AIRFLOW, AIRFLOW_ON_TRINO, FIRST, RUNNING_AIRFLOW, SUPERSET, THE_STACK, group_of

ROOT = Path(__file__).parents[1]


def test_the_group_of_a_test_says_which_services_it_uses(request, monkeypatch):
    monkeypatch.delenv("DAYSLICE_TEST_STACK", raising=False)
    for item in request.session.items:
        marks = {mark.name for mark in item.iter_markers()}
        group = group_of(item.nodeid)
        on_trino = group.startswith(THE_STACK) or group in (SUPERSET, AIRFLOW_ON_TRINO)
        assert on_trino == bool(marks & {"trino", "superset"}), item.nodeid
        assert (group == RUNNING_AIRFLOW) == ("airflow" in marks), item.nodeid


def test_what_the_groups_name_is_there():
    named = [*AIRFLOW, *(each for each in FIRST if each.startswith("tests/"))]
    assert [each for each in named if not (ROOT / each).exists()] == []
