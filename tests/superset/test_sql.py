"""SQL Lab as an analyst has it: the published tables, and nothing else."""

import threading
import time

import pytest

pytestmark = pytest.mark.superset


def test_published_schemas_are_read_with_descriptions(analyst):
    assert analyst.rows("select count(*) as n from analytics.flights_flat_latest")[0]["n"] > 900
    assert analyst.rows("select count(*) as n from erp.airlines_latest", schema="erp") == [{"n": 16}]
    assert analyst.rows("select * from analytics.airport_daily_latest limit 3")[0]["ds"].startswith("2013-01-0")
    dataset = analyst.named("dataset", "table_name")["airport_daily_latest"]
    told = analyst.get(f"dataset/{dataset['id']}")["result"]
    assert told["description"].startswith("How a day went at each of New York's airports")
    assert told["main_dttm_col"] == "ds"
    columns = {each["column_name"]: each for each in told["columns"]}
    assert columns["airport"]["description"] == "FAA code of the airport."
    assert (columns["flights"]["type"], columns["ds"]["is_dttm"]) == ("BIGINT", True)
    assert "flight-data" in told["extra"]


def test_a_limit_is_the_querys_own(analyst):
    assert len(analyst.rows("select ds from analytics.flights_flat_latest limit 3")) == 3
    assert len(analyst.rows("select ds from analytics.flights_flat_latest", limit=7)) == 7


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/*')",
        "copy (select 1) to '{home}/out.csv'",
        "create table analytics.mine as select 1 as a",
        "insert into analytics.flights_flat_latest select * from analytics.flights_flat_latest",
        "delete from analytics.flights_flat_latest",
        "drop view analytics.flights_flat_latest",
        "attach '{home}/superset/superset.db' as metadata (type sqlite)",
        "set enable_external_access = true",
        "select * from information_schema.tables",
        "select * from duckdb_settings()",
        "select 1; drop view analytics.flights_flat_latest",
    ],
)
def test_everything_else_is_refused(analyst, superset, sql):
    answer = analyst.ask(sql.format(home=superset.home))
    assert not answer.ok, answer.text[:300]
    assert "root:" not in answer.text
    assert not (superset.home / "out.csv").exists()


def test_schemas_that_are_not_published_are_not_offered(analyst):
    number = analyst.named("database", "database_name")["Dayslice"]["id"]
    assert set(analyst.get(f"database/{number}/schemas/")["result"]) == {"analytics", "erp", "warehouse"}


def test_an_analyst_changes_no_dataset_and_sees_no_user(analyst):
    dataset = analyst.named("dataset", "table_name")["airport_daily_latest"]["id"]
    assert analyst.send("PUT", f"dataset/{dataset}", {"description": "mine"}).status_code in (403, 404)
    assert analyst.http.get(f"{analyst.url}/api/v1/security/users/").status_code == 403


def test_a_query_is_stopped_in_time_and_a_build_goes_on_meanwhile(analyst, superset):
    flights = ", ".join(f"analytics.flights_flat_latest as {each}" for each in "abcd")
    long = f"select count(*) as n from {flights} where a.flight_id * b.flight_id + c.flight_id * d.flight_id = 7"
    said, seconds, built = [], [], threading.Event()

    def ask_until_built():
        while not built.is_set():
            began = time.monotonic()
            said.append(analyst.ask(long).text)
            seconds.append(time.monotonic() - began)

    asking = threading.Thread(target=ask_until_built)
    asking.start()
    time.sleep(1)
    try:
        superset.run("build", "--ds", "2013-01-02", "--select", "airport_daily")
    finally:
        # One query after the other, so that one ran from the build's first moment to its last.
        built.set()
        asking.join()
    assert all("the query was stopped after 15 s" in each for each in said), said
    assert all(14 < each < 25 for each in seconds), seconds
