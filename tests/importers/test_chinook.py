"""A database that nobody here wrote, imported whole with one command: every value equal."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

FILE = Path(__file__).parents[3] / "shared" / "data" / "chinook_postgres.sql"


@pytest.fixture
def chinook(make_database, require, monkeypatch):
    """Its script makes a database and connects to it by psql's own commands, which are left out."""
    require(None if FILE.exists() else "the Chinook sample database is not at ../shared/data/chinook_postgres.sql")
    database = make_database()
    script = FILE.read_text(encoding="utf-8")
    script = re.sub(r"(?m)^\\.*$|^(DROP|CREATE) DATABASE[^;]*;", "", script)
    database.execute(script)
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
    return database


def test_every_table_and_value_of_chinook(chinook, warehouse):
    tables = [
        name for (name,) in chinook.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
    ]
    assert len(tables) == 11
    results = warehouse.run(*(warehouse.node(name) for name in tables))
    total = 0
    for name in tables:
        assert results[name].error is None
        expected = chinook.execute(f"select * from {name}")
        found = warehouse.query(f"select * exclude (ds) from erp.{name}")
        assert sorted(found, key=repr) == sorted(expected, key=repr)
        total += len(found)
    assert total == 15607
    kinds = {type(value) for (value,) in warehouse.query("select unit_price from erp.track limit 1")}
    assert kinds == {Decimal}
