"""An engine that was another task's before is as one that was just opened, or is not lent again."""

import os

import duckdb
import pytest

from dayslice.engines.embedded import memory_limit
from dayslice.engines.idle import close_idle, lend

LEFT = [
    "create table t as select 1 as id",
    "create schema s",
    "create temp table held as select 1 as id",
    "create macro twice(x) as x * 2",
]
SETS = [
    "set threads = 1",
    "SET GLOBAL preserve_insertion_order = false",
    "pragma threads = 1",
    "attach ':memory:' as m",
]


@pytest.fixture(autouse=True)
def none_waits():
    close_idle()
    yield
    close_idle()


def used(home, *statements):
    engine = lend(home, str(home / "landing"), 2, {"TimeZone": "UTC"})
    for sql in statements:
        engine.saw(sql)
        engine.session.execute(sql)
    return engine


def facts(engine):
    """All that a task could find in it."""
    return [
        engine.session.execute(sql).fetchall()
        for sql in (
            "select database_name, schema_name, table_name from duckdb_tables() order by all",
            "select database_name, schema_name from duckdb_schemas() order by all",
            "select function_name from duckdb_functions() where not internal order by all",
            "select name, value from duckdb_settings() where name not like '%temp_directory%' order by all",
            "select database_name from duckdb_databases() order by all",
        )
    ]


def test_nothing_is_left_of_the_task_before(tmp_path):
    first = used(tmp_path)
    fresh = facts(first)
    for sql in LEFT:
        first.session.execute(sql)
    first.session.execute("begin")
    first.session.execute("set variable secret = 'x'")
    first.give_back()
    second = used(tmp_path)
    assert second.instance is first.instance
    assert facts(second) == fresh
    assert second.session.execute("select getvariable('secret')").fetchone() == (None,)
    second.give_back()


@pytest.mark.parametrize("sql", SETS)
def test_one_that_was_set_to_something_is_not_lent_again(tmp_path, sql):
    first = used(tmp_path, sql)
    first.give_back()
    second = used(tmp_path)
    assert second.instance is not first.instance
    second.give_back()


def test_two_tasks_at_once_have_two_and_other_settings_another(tmp_path):
    first, second = used(tmp_path), used(tmp_path)
    assert first.instance is not second.instance
    first.give_back()
    second.give_back()
    other = lend(tmp_path, str(tmp_path / "landing"), 2, {"TimeZone": "Europe/Berlin"})
    assert other.instance not in (first.instance, second.instance)
    other.give_back()


def test_one_that_shared_memory_has_all_when_it_is_lent_alone(tmp_path):
    first = used(tmp_path)
    first.give_back()
    alone = lend(tmp_path, str(tmp_path / "landing"), 1, {"TimeZone": "UTC"})
    assert alone.instance is first.instance
    assert alone.session.execute("select current_setting('memory_limit')").fetchone() == limit_of(memory_limit())
    alone.give_back()
    again = used(tmp_path)
    assert again.session.execute("select current_setting('memory_limit')").fetchone() == limit_of(memory_limit(2))
    again.give_back()


def limit_of(limit):
    with duckdb.connect(config={"memory_limit": limit}) as connection:
        return connection.execute("select current_setting('memory_limit')").fetchone()


def test_none_waits_over_a_fork(tmp_path):
    first = used(tmp_path)
    first.give_back()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    second = used(tmp_path)
    assert second.instance is not first.instance
    second.give_back()
