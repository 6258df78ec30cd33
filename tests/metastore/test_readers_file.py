"""The file that readers open: views of what people should see, made beside and renamed, whatever the history."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dayslice.engines.embedded import open_engine
from dayslice.errors import Refused, UsageError
from dayslice.metastore.ownership import MARK, adopt, check_owner
from dayslice.metastore.visible import Visible
from dayslice.rules.slices import Table
from dayslice.store.choice import open_store
from tests.local_files import land_slice, metastore_of, readers

T = Table("analytics", "t")
READ = """
import sys, duckdb
print(duckdb.connect(sys.argv[1], read_only=True).execute('select id from analytics.t').fetchall())
"""


def names(connection):
    found = connection.execute("select schema_name || '.' || view_name from duckdb_views() where not internal")
    return sorted(name for (name,) in found.fetchall())


def test_it_has_the_tables_that_people_should_see_and_no_other_name(tmp_path):
    land_slice(tmp_path, T, "2013-01-01", "select 1", "id int")
    land_slice(tmp_path, Table("_hidden", "t"), "2013-01-01", "select 1", "id int")
    with metastore_of(tmp_path) as metastore:
        metastore.publish_latest(Table("analytics", "t_latest"), T)
        metastore.publish_view(Table("analytics", "both"), 'select ds from "dayslice"."analytics"."t"')
    with readers(tmp_path) as connection:
        assert names(connection) == ["analytics.both", "analytics.t", "analytics.t_latest"]
        schemas = connection.execute("select schema_name from duckdb_schemas() where not internal").fetchall()
        assert {name for (name,) in schemas} == {"analytics"}
        assert connection.execute("from analytics.both").fetchall() == [("2013-01-01",)]
    land_slice(tmp_path, T, "2013-01-02", "select 2", "id int")
    with metastore_of(tmp_path) as metastore:
        metastore.drop(Table("analytics", "both"))
    with readers(tmp_path) as connection:
        assert names(connection) == ["analytics.t", "analytics.t_latest"]
        assert connection.execute("from analytics.t_latest").fetchall() == [(2, "2013-01-02")]


def test_who_has_it_open_keeps_what_stood_and_stops_nobody(tmp_path):
    land_slice(tmp_path, T, "2013-01-01", "select 1", "id int")
    with readers(tmp_path) as before:
        assert before.execute("select id from analytics.t").fetchall() == [(1,)]
        land_slice(tmp_path, T, "2013-01-01", "select 2", "id int")
        with readers(tmp_path):
            # Another process: within one, DuckDB gives whoever opens a path the same open file again.
            after = subprocess.run(
                [sys.executable, "-c", READ, tmp_path / "dayslice.duckdb"], check=False, capture_output=True
            )
            assert after.stdout == b"[(2,)]\n", after.stderr
            assert before.execute("select id from analytics.t").fetchall() == [(1,)]


def test_a_statement_of_literal_slices_reads_their_files_alone(tmp_path):
    for day in range(1, 6):
        land_slice(tmp_path, T, f"2013-01-0{day}", f"select {day}", "id int")
    with metastore_of(tmp_path) as metastore, open_engine(tmp_path, str(tmp_path / "landing")) as connection:
        visible = Visible(connection, metastore)
        one = visible.prepare("""(select * from "dayslice"."analytics"."t" where ds = '2013-01-02') as x""")
        assert one.count(".parquet") == 1
        some = visible.prepare("(select * from analytics.t where ds between '2013-01-02' and '2013-01-04')")
        assert some.count(".parquet") == 3
        assert connection.execute(f"select sum(id) from {some}").fetchall() == [(9,)]
        assert not visible.made, "no view of the whole table was needed"
        none = visible.prepare("(select * from analytics.t where ds = '2014-01-01')")
        assert connection.execute(f"select count(id) from {none}").fetchall() == [(0,)]
        # Words that widen the condition again: then all slices are read, and the engine decides.
        wider = "select id from analytics.t where ds = '2013-01-01' or ds = '2013-01-05'"
        assert visible.prepare(wider) == wider
        assert sorted(connection.execute(wider).fetchall()) == [(1,), (5,)]


def test_a_column_that_came_later_is_null_before_also_in_one_slice(tmp_path):
    land_slice(tmp_path, T, "2013-01-01", "select 1", "id int")
    land_slice(tmp_path, T, "2013-01-02", "select 2, 'b'", "id int, kind varchar")
    with metastore_of(tmp_path) as metastore, open_engine(tmp_path, str(tmp_path / "landing")) as connection:
        first = Visible(connection, metastore).prepare("(select * from analytics.t where ds = '2013-01-01')")
        assert connection.execute(f"select id, kind, ds from {first}").fetchall() == [(1, None, "2013-01-01")]
    with readers(tmp_path) as connection:
        assert connection.execute("from analytics.t order by ds").fetchall() == [
            (1, None, "2013-01-01"),
            (2, "b", "2013-01-02"),
        ]


def test_a_damaged_file_is_an_error_that_names_the_slice(tmp_path):
    version = land_slice(tmp_path, T, "2013-01-01", "select range from range(5000)", "id int")
    file = tmp_path / version.location / "part-00.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    with metastore_of(tmp_path) as metastore, open_engine(tmp_path, str(tmp_path / "landing")) as connection:
        for sql in ("(select * from analytics.t where ds = '2013-01-01')", "select * from analytics.t"):
            with pytest.raises(Refused, match=r"analytics.t 2013-01-01: version v.* is damaged: .* bytes"):
                Visible(connection, metastore).prepare(sql)


def test_a_damaged_table_shows_what_stood_before_and_holds_no_other_one_up(tmp_path, capsys):
    land_slice(tmp_path, T, "2013-01-01", "select 1", "id int")
    with readers(tmp_path):
        pass
    damaged = land_slice(tmp_path, T, "2013-01-02", "select 2", "id int")
    Path(damaged.location, "part-00.parquet").unlink()
    land_slice(tmp_path, Table("analytics", "other"), "2013-01-02", "select 3", "id int")
    with readers(tmp_path) as connection:
        assert connection.execute("select id from analytics.other").fetchall() == [(3,)]
        assert connection.execute("select id from analytics.t").fetchall() == [(1,)]
    assert "what stood before: analytics.t 2013-01-02: version v" in capsys.readouterr().err
    land_slice(tmp_path, T, "2013-01-02", "select 4", "id int")
    with readers(tmp_path) as connection:
        assert sorted(connection.execute("select id from analytics.t").fetchall()) == [(1,), (4,)]


def test_many_slices_are_read_by_one_name_each(tmp_path):
    days = [f"2013-01-{day:02}" for day in range(1, 31)]
    for number, ds in enumerate(days):
        land_slice(tmp_path, T, ds, f"select {number}, 'it''s'", "id int, word varchar")
    land_slice(tmp_path, T, days[3], "select 100, 'anew'", "id int, word varchar")
    with readers(tmp_path) as connection:
        assert connection.execute("select count(*), sum(id) from analytics.t").fetchall() == [(30, 435 - 3 + 100)]
        assert connection.execute(f"from analytics.t where ds = '{days[3]}'").fetchall() == [(100, "anew", days[3])]
        assert connection.execute("select count(distinct ds) from analytics.t where ds > '2013-01-20'").fetchone() == (
            10,
        )


def test_another_home_may_not_write_into_a_warehouse_unless_it_adopts_it(tmp_path):
    warehouse = str(tmp_path / "shared")
    with metastore_of(tmp_path / "one") as one, metastore_of(tmp_path / "two") as two:
        check_owner(one, warehouse)
        check_owner(one, warehouse)
        with pytest.raises(UsageError, match=r"belongs to another home.*dayslice adopt"):
            check_owner(two, warehouse)
        assert adopt(two, warehouse) == one.owner()
        assert open_store(warehouse).read(MARK) == two.owner().encode()
        check_owner(two, warehouse)


def test_a_home_of_before_is_not_begun_anew(tmp_path):
    duckdb.connect(str(tmp_path / "dayslice.duckdb")).close()
    with pytest.raises(UsageError, match="dayslice migrate"):
        metastore_of(tmp_path)
