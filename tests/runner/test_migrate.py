"""A home of before, whose DuckDB file was the warehouse, is taken over whole, or refused by name."""

from types import SimpleNamespace

import duckdb
import pytest

from dayslice.errors import Refused, UsageError
from dayslice.metastore.integrity import written_files
from dayslice.rules.slices import Receipt, Slice, Table
from dayslice.runner.migrate import migrate
from tests.local_files import metastore_of, readers

RUNNING = Table("analytics", "running")


@pytest.fixture
def target(tmp_path):
    """A warehouse as the version before left it: a model of two slices, a seed, a view, a latest view."""
    file = tmp_path / "dayslice.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema _dayslice; create schema _staged; create schema analytics")
        connection.execute(
            "create table _dayslice.versions (table_schema varchar, table_name varchar, ds varchar, version varchar, "
            "location varchar, receipt varchar, published boolean, sequence bigint)"
        )
        connection.execute("create table analytics.running (n hugeint, name varchar, ds varchar)")
        for number, ds in enumerate(("2013-01-01", "2013-01-02"), 1):
            connection.execute(f"insert into analytics.running select {number} * 10::hugeint ** 20, 'x', '{ds}'")
            receipt = Receipt(rows=1, more={"audits": "2 passed, 0 warned"}).to_json()
            connection.execute(
                "insert into _dayslice.versions values ('analytics', 'running', ?, ?, '', ?, true, 1)",
                [ds, f"v2013010{number}000000000000_abcdef", receipt],
            )
        connection.execute("create table analytics.kinds as select 'a' as kind, 1 as n")
        connection.execute("create table _staged.left_over as select 1")
        connection.execute("create view analytics.plain as select count(*) as n from analytics.running")
        connection.execute(
            "create view analytics.running_latest as select * from analytics.running where ds = '2013-01-02'"
        )
    return SimpleNamespace(
        database_file=file,
        metastore_file=tmp_path / "metastore.sqlite",
        warehouse=str(tmp_path / "landing"),
        home=tmp_path,
    )


def test_everything_is_taken_over(target):
    done = migrate(target)
    assert (done.slices, done.versions, done.tables) == (2, 2, ["analytics.kinds"])
    assert sorted(done.views) == ["analytics.plain", "analytics.running_latest"]
    with readers(target.home) as connection:
        rows = connection.execute("select * from analytics.running order by ds").fetchall()
        assert rows == [(10**20, "x", "2013-01-01"), (2 * 10**20, "x", "2013-01-02")]
        types = dict(each[:2] for each in connection.execute("describe analytics.running").fetchall())
        assert types == {"n": "HUGEINT", "name": "VARCHAR", "ds": "VARCHAR"}
        assert connection.execute("from analytics.running_latest").fetchall() == rows[1:]
        assert connection.execute("from analytics.plain").fetchall() == [(2,)]
        assert connection.execute("from analytics.kinds").fetchall() == [("a", 1)]
    with metastore_of(target.home) as metastore:
        (version,) = metastore.versions(Slice(RUNNING, "2013-01-02"))
        assert (version.id, version.receipt.more["audits"]) == ("v20130102000000000000_abcdef", "2 passed, 0 warned")
        assert all(each.checksum for each in written_files(version))
    with duckdb.connect(done.kept, read_only=True) as before:
        assert before.execute("select count(*) from analytics.running").fetchall() == [(2,)]
    with pytest.raises(UsageError, match="is there already"):
        migrate(target)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("insert into analytics.running values (1, 'y', '2013-01-09')", "running 2013-01-09 has 1 rows .* where 0"),
        ("delete from analytics.running where ds = '2013-01-01'", "running 2013-01-01 has 0 rows .* where 1"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name_and_nothing_is_changed(target, wrong, said):
    with duckdb.connect(str(target.database_file)) as connection:
        connection.execute(wrong)
    before = target.database_file.read_bytes()
    with pytest.raises(Refused, match=said):
        migrate(target)
    assert target.database_file.read_bytes() == before
    assert not target.metastore_file.exists()


def test_a_home_that_is_none_of_before_is_said_to_be(target):
    target.database_file.unlink()
    with pytest.raises(UsageError, match="nothing is to be migrated"):
        migrate(target)
