"""Airflow is asked about each DAG once, as long as neither the table nor what is installed changes."""

import json
from dataclasses import replace

import pytest

from dayslice.errors import UsageError
from dayslice.orchestration import dag_check, dags_taken
from dayslice.orchestration.dag_index import IndexedTable

TABLES = [
    IndexedTable(
        name, f"model.shop.{name}", name, "analytics", False, "day", "events", "0 3 * * *", "a", "p", 1, "", ""
    )
    for name in ("first", "second")
]


@pytest.fixture
def asked(monkeypatch):
    """The names that Airflow is asked about, run by run; it refuses `odd` owners."""
    found = []

    def answer(given):
        found.append([each["name"] for each in given["tables"]])
        return {each["dag_id"]: "odd" for each in given["tables"] if each["owner"] == "odd"}

    monkeypatch.setattr(dag_check, "airflow_is_installed", lambda: True)
    monkeypatch.setattr(dag_check, "_here", answer)
    monkeypatch.setattr(dag_check, "_in_a_process_of_its_own", answer)
    return found


def test_a_dag_that_was_taken_is_asked_about_again_only_when_it_changes(asked, tmp_path):
    changed = [replace(TABLES[0], cron="0 4 * * *"), replace(TABLES[1], sql="select 2")]
    for tables, zone in ((TABLES, "UTC"), (TABLES, "UTC"), (changed, "UTC"), (TABLES, "UTC"), (TABLES, "Asia/Tokyo")):
        dag_check.check_dags(tables, zone, tmp_path)
    assert asked == [["first", "second"], ["first"], ["first", "second"]]


def test_one_that_was_refused_is_refused_again_and_the_others_are_taken(asked, tmp_path):
    tables = [replace(TABLES[0], owner="odd"), TABLES[1]]
    for _ in range(2):
        with pytest.raises(UsageError, match="first: Airflow refuses its DAG: odd"):
            dag_check.check_dags(tables, "UTC", tmp_path)
    assert asked == [["first", "second"], ["first"]]


def test_what_was_installed_since_is_asked_anew_and_a_damaged_file_is_none(asked, tmp_path, monkeypatch):
    dag_check.check_dags(TABLES, "UTC", tmp_path)
    file = dags_taken.Taken(tmp_path, "UTC").file
    assert len(json.loads(file.read_text())) == 2
    file.write_text("[")
    dag_check.check_dags(TABLES, "UTC", tmp_path)
    monkeypatch.setattr(dags_taken, "_installed", lambda: ["apache_airflow-9.9.9.dist-info"])
    dag_check.check_dags(TABLES, "UTC", tmp_path)
    assert len(asked) == 3
