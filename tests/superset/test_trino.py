"""The same on Trino: its tables, through a user who may only look."""

import secrets

import pytest
import trino

from dayslice.metastore.hive import HiveMetastore
from dayslice.rules.slices import Table
from dayslice.services.service import LOOPBACK

pytestmark = [pytest.mark.superset, pytest.mark.trino]


def connect(stack, user):
    return trino.dbapi.connect(host=LOOPBACK, port=stack.ports.trino, user=user, catalog="hive")


def run(stack, user, sql):
    return connect(stack, user).cursor().execute(sql).fetchall()


@pytest.fixture(scope="module")
def on_trino(superset, stack):
    """The Superset of the session, for a while with the datasets of the target trino."""
    location = f"{stack.warehouse}/looked_at_{secrets.token_hex(4)}"
    run(stack, "dayslice", "create schema if not exists hive.analytics")
    with HiveMetastore(stack.metastore.uri) as metastore:  # what another test left there, a view perhaps
        metastore.drop_table(Table("analytics", "airport_daily_latest"))
    run(stack, "dayslice", "call hive.system.flush_metadata_cache()")
    columns = "values ('JFK', bigint '3', '2013-01-02'), ('LGA', bigint '4', '2013-01-02')"
    run(
        stack,
        "dayslice",
        f"create table hive.analytics.airport_daily_latest with (external_location = '{location}') as "
        f"select * from ({columns}) as t (airport, flights, ds)",
    )
    superset.environment |= stack.environment()
    try:
        superset.run("superset", "deploy", "--target", "trino")
        yield superset
    finally:
        superset.environment.clear()
        superset.run("superset", "deploy", "--target", "local")
        run(stack, "dayslice", "drop table hive.analytics.airport_daily_latest")


def test_trinos_tables_are_read_by_a_user_who_may_only_look(on_trino, stack, analyst, admin):
    rows = analyst.rows("select airport, flights, ds from analytics.airport_daily_latest order by 1 limit 3")
    assert [row["airport"] for row in rows] == ["JFK", "LGA"]
    dataset = admin.named("dataset", "table_name")["airport_daily_latest"]["id"]
    types = {each["column_name"]: each["type"] for each in admin.get(f"dataset/{dataset}")["result"]["columns"]}
    assert types["flights"] == "BIGINT"
    for sql in (
        "insert into hive.analytics.airport_daily_latest values ('X', 1, '2013-01-02')",
        "create table hive.analytics.mine as select 1 as a",
        "drop table hive.analytics.airport_daily_latest",
        "delete from hive.analytics.airport_daily_latest",
        "call hive.system.flush_metadata_cache()",
        "select * from iceberg.information_schema.tables",
    ):
        for person in (analyst, admin):
            assert not person.ask(sql).ok, sql
        with pytest.raises(trino.exceptions.TrinoUserError, match=r"Access Denied|Cannot access catalog|not exist"):
            run(stack, "superset", sql)
    assert run(stack, "dayslice", "select count(*) from hive.analytics.airport_daily_latest") == [[2]]


def test_slices_are_asked_of_their_own_database_there(on_trino, analyst):
    assert analyst.rows("select * from warehouse.slices", schema="warehouse", database="Dayslice slices") == []
    assert "Freshness" in analyst.named("chart", "slice_name")


def test_a_query_runs_as_the_person_who_asks_where_that_is_set(on_trino, stack, analyst, admin):
    question = "select current_user as who, (select count(*) from analytics.airport_daily_latest) as airports"
    assert {person.rows(question)[0]["who"] for person in (analyst, admin)} == {"superset"}
    before = dict(on_trino.environment)
    # In the stack, Superset's own user may be nobody else; any other may.
    on_trino.environment |= {"DAYSLICE_SUPERSET_IMPERSONATE": "true", "DAYSLICE_SUPERSET_TRINO_USER": "front"}
    try:
        on_trino.run("superset", "deploy", "--target", "trino")
        assert analyst.rows(question) == [{"who": "ana", "airports": 2}]
        assert admin.rows(question) == [{"who": "admin", "airports": 2}]
        assert not analyst.ask("drop table hive.analytics.airport_daily_latest").ok  # the role is Superset's own fence
    finally:
        on_trino.environment.clear()
        on_trino.environment.update(before)
        on_trino.run("superset", "deploy", "--target", "trino")
    assert analyst.rows(question) == [{"who": "superset", "airports": 2}]
