"""Tests that share a service are of one group: started twice, it would take what the other process saves."""

from pathlib import Path

from tests.sharing import AIRFLOW, FIRST, RUNNING_AIRFLOW, STACK_AND_SUPERSET, group_of

ROOT = Path(__file__).parents[1]


def test_the_group_of_a_test_says_which_services_it_uses(request):
    for item in request.session.items:
        marks = {mark.name for mark in item.iter_markers()}
        group = group_of(item.nodeid)
        assert (group == STACK_AND_SUPERSET) == bool(marks & {"trino", "superset"}), item.nodeid
        assert (group == RUNNING_AIRFLOW) == ("airflow" in marks), item.nodeid


def test_what_the_groups_name_is_there():
    named = [*AIRFLOW, *(each for each in FIRST if each.startswith("tests/"))]
    assert [each for each in named if not (ROOT / each).exists()] == []
