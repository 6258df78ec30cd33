"""Tables that lie elsewhere: of another server (postgres_fdw), a file (file_fdw), and partitions that are foreign."""

import pytest
from dayslice_importers import selecting

from dayslice.errors import DaysliceError
from tests.importers.conftest import Database

ROWS = (
    "select n as id, repeat(chr(97 + n % 26), 500) || E'\\n' as filler, n / 7.0 as share "
    "from generate_series({}, {}) as n"
)


@pytest.fixture(scope="module")
def foreign(debian_server, tmp_path_factory):
    """A database whose tables lie in another one of the same server, and in a file."""
    far, near = (Database(debian_server.dsn, name) for name in ("far", "near"))
    far.execute(f"create table t as {ROWS.format(1, 4000)}; create table part as {ROWS.format(1000, 1999)}")
    file = tmp_path_factory.mktemp("foreign") / "lines.csv"
    file.write_text('1,"a ""quoted"", one"\n2,\n3,""\n')
    for folder in (file, *file.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    near.execute(
        f"""
        create extension postgres_fdw; create extension file_fdw;
        create server far foreign data wrapper postgres_fdw
            options (host '{debian_server.directory}', dbname 'far');
        create user mapping for postgres server far options (user 'postgres');
        create foreign table t (id int, filler text, share numeric) server far;
        create table parent (id int, filler text, share numeric) partition by range (id);
        create foreign table part partition of parent for values from (1000) to (2000) server far;
        create table rest partition of parent default;
        insert into parent {ROWS.format(1, 999)};
        create server files foreign data wrapper file_fdw;
        create foreign table lines (id int, v text) server files options (filename '{file}', format 'csv')
        """
    )
    yield near, far
    near.close()
    far.close()


@pytest.fixture(autouse=True)
def connected(foreign, monkeypatch):
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", foreign[0].dsn)
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 20)


@pytest.mark.parametrize(("table", "rows"), [("t", 4000), ("parent", 1999)])
def test_every_row_of_a_foreign_table_is_landed_once(foreign, warehouse, table, rows):
    near, _ = foreign
    version = warehouse.land(table, streams=3, types={"share": "text"})
    assert version.receipt.rows == rows
    assert version.receipt.files == 1, "what has no blocks of its own cannot be divided"
    found = dict(warehouse.query(f"select id, filler || share from erp.{table}"))
    assert found == dict(near.execute(f"select id, filler || share from {table}"))


def test_a_foreign_file(warehouse):
    assert warehouse.land("lines").receipt.rows == 3
    assert sorted(warehouse.query("select id, v from erp.lines")) == [(1, 'a "quoted", one'), (2, None), (3, "")]


def test_events_of_a_foreign_table(foreign, warehouse):
    near, far = foreign
    far.execute("create table e as select n as id, date '2013-01-04' + n % 3 as day from generate_series(1, 30) as n")
    near.execute("create foreign table e (id int, day date) server far")
    assert warehouse.land("e", slice="events", on="day").receipt.rows == 10
    assert {day for (day,) in warehouse.query("select day::varchar from erp.e")} == {"2013-01-05"}


def test_a_foreign_server_that_is_away_stops_its_table_only(foreign, debian_server, warehouse):
    near, _ = foreign
    near.execute(
        "create server gone foreign data wrapper postgres_fdw "
        f"options (host '{debian_server.directory}', dbname 'gone');"
        "create user mapping for postgres server gone options (user 'postgres');"
        "create foreign table absent (id int) server gone"
    )
    results = warehouse.run(warehouse.node("absent"), warehouse.node("lines"))
    error = results["absent"].error
    assert isinstance(error, DaysliceError)
    assert "erp.absent 2013-01-05" in str(error)
    assert 'could not connect to server "gone"' in str(error)
    assert "\n" not in str(error)
    assert results["lines"].error is None
