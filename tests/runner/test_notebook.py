"""`dayslice.read` and `dayslice.sql` from Python, on every engine."""

import datetime
import subprocess
import sys
from decimal import Decimal

import pandas
import polars
import pyarrow
import pytest

import dayslice
from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.slices import Slice, Table
from dayslice.runner import rows
from dayslice.runner.quick_target import quick_target
from tests.sql.conftest import emptied, make_project
from tests.sql.project_files import on_orders

__all__ = ["emptied", "make_project"]
FILES = on_orders(
    {"daily": "select id, name from {{ slice('erp', 'orders') }}", "daily_latest": "{{ latest('daily') }}"}
)
DAY = "2013-01-05"
ROWS = {"2013-01-05": "values (1, 'a'), (2, null)", "2013-01-06": "values (3, 'b')"}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied, engine):
    made = emptied(make_project(FILES))
    for ds, values in ROWS.items():
        made.land("orders", ds, values, "id int,name varchar")
        made.build(ds)
    return made


@pytest.fixture
def here(project, engine, monkeypatch):
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("DAYSLICE_TARGET", engine)


def test_a_table_a_slice_and_a_view_are_read(here):
    assert sorted(dayslice.read("daily")) == [(1, "a", "2013-01-05"), (2, None, "2013-01-05"), (3, "b", "2013-01-06")]
    assert sorted(dayslice.read("erp.orders", ds=datetime.date(2013, 1, 5)))[1] == (2, None, "2013-01-05")
    assert list(dayslice.read("daily_latest")) == [(3, "b", "2013-01-06")]


def test_rows_are_arrow_and_data_frames(here):
    read = dayslice.read("daily", ds="2013-01-05")
    assert read.columns == ["id", "name", "ds"]
    assert len(read) == 2
    for _ in range(2):  # not used up by the first one
        assert pyarrow.table(read).num_rows == 2
    assert read.arrow().schema.field("id").type == pyarrow.int32()
    assert read.pl().schema["name"] == polars.String
    assert isinstance(read.df(), pandas.DataFrame)
    assert sorted(read.df()["id"]) == [1, 2]
    assert "2 rows" in repr(read)
    assert "<td>2013-01-05</td>" in read._repr_html_()


def test_sql_is_asked_with_jinja_and_keeps_types(here):
    asked = dayslice.sql("select count(*) as n from {{ slice('daily', -1) }}", ds="2013-01-06")
    assert list(asked) == [(2,)]
    types = "cast(1.50 as decimal(5,2)) as d, date '2013-01-05' as a_day, true as b, cast(null as double) as none"
    asked = dayslice.sql(f"select {types}, timestamp '2013-01-05 01:02:03.456' as t, 'it''s' as s")
    moment = datetime.datetime(2013, 1, 5, 1, 2, 3, 456000)
    assert list(asked) == [(Decimal("1.50"), datetime.date(2013, 1, 5), True, None, moment, "it's")]
    assert asked.arrow().schema.field("d").type == pyarrow.decimal128(5, 2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: dayslice.read("dayly"), "dayly"),
        (
            lambda: dayslice.read("daily", ds="2013-01-09"),
            "is not published; the newest slice is 2013-01-06",
        ),
        (lambda: dayslice.read("daily", ds="5 January"), "5 January"),
        (lambda: dayslice.read("daily", version="v2"), "give its ds too"),
        (
            lambda: dayslice.read("daily", ds="2013-01-05", version="v1"),
            "begin with 'v1'; kept are: v2",
        ),
        (lambda: dayslice.sql("select nope from daily"), "nope"),
        (lambda: dayslice.sql("drop table analytics.daily"), "allowed here"),
        (lambda: dayslice.sql("create table analytics.x as select 1 as one"), "allowed here"),
    ],
)
def test_what_is_wrong_is_one_sentence(here, call, sentence):
    with pytest.raises(DaysliceError, match=r"^[^\n]*$") as raised:
        call()
    assert sentence in str(raised.value)


def test_a_library_that_is_not_installed_is_named(here, monkeypatch):
    read = dayslice.read("daily")
    monkeypatch.setattr(rows.importlib, "import_module", lambda name: (_ for _ in ()).throw(ModuleNotFoundError(name)))
    for method, library in (("df", "pandas"), ("pl", "polars"), ("arrow", "pyarrow")):
        with pytest.raises(UsageError, match=rf"^{method}\(\) needs {library}, which is not installed here: pip"):
            getattr(read, method)()


def test_an_earlier_version_is_read_beside_the_published_one(here, project, engine):
    project.land("orders", "2013-01-05", "values (7, 'new')", "id int,name varchar")
    with open_metastore(quick_target(project.root, engine)) as metastore:
        newest, *_, oldest = metastore.versions(Slice(Table("erp", "orders"), "2013-01-05"))
    first, second = (list(dayslice.read("erp.orders", ds="2013-01-05", version=each.id)) for each in (oldest, newest))
    assert [len(first), second] == [2, [(7, "new", "2013-01-05")]]
    assert list(dayslice.read("erp.orders", ds="2013-01-05")) == second


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # the files are on this machine
def test_a_damaged_slice_is_no_fewer_rows(here, project, engine):
    project.land("orders", "2013-01-07", "values (8, 'x')", "id int,name varchar")
    [file] = (project.home / "landing" / "erp" / "orders").rglob("ds=2013-01-07/*.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DaysliceError, match=r"erp\.orders 2013-01-07: version v\S+ is damaged"):
        dayslice.read("erp.orders", ds="2013-01-07")
    file.unlink()
    with pytest.raises(DaysliceError, match="is damaged"):
        dayslice.read("erp.orders")


def test_a_project_is_found_from_its_home_or_given(project, engine, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as homeless, pytest.raises(UsageError, match="project="):
        homeless.delenv("DAYSLICE_HOME", raising=False)
        dayslice.read("daily", target=engine)
    assert len(dayslice.read("daily", ds="2013-01-06", target=engine, project=project.root)) == 1
    if engine == "local":
        monkeypatch.setenv("DAYSLICE_HOME", str(project.home))
        assert len(dayslice.read("daily", ds="2013-01-06", target=engine)) == 1


def test_the_package_itself_loads_nothing():
    program = (
        "import sys, dayslice; print(sorted(name for name in sys.modules if name in ('duckdb', 'dayslice.runner')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="nope"):
        dayslice.nope  # noqa: B018
