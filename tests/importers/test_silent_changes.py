"""What would change or leave out values without a word: it is refused, or reads as it did."""

import json
import re

import pytest

from dayslice.errors import DaysliceError, Refused

# Type before, its value in PostgreSQL, and how PostgreSQL prints it in UTC.
RETYPED = [
    ("boolean", "true", "t"),
    ("timestamptz", "'2013-01-01 00:00+05:30'", "2012-12-31 18:30:00+00"),
    ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
    ("bytea", r"'\x00ff'", r"\x00ff"),
    ("float8", "1e300", "1e+300"),
    ("uuid", "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
]


def test_a_policy_that_hides_rows_stops_the_import(database, warehouse, monkeypatch):
    database.execute(
        "create table t (id int, owner text); insert into t values (1, 'a'), (2, 'b'); "
        "alter table t enable row level security; create policy owned on t using (owner = 'a'); "
        "create role hidden login; grant select on t to hidden"
    )
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn.replace("user=postgres", "user=hidden"))
    with pytest.raises(
        DaysliceError, match=r"erp.t 2013-01-05: a row-level security policy would hide rows.*BYPASSRLS"
    ):
        warehouse.land("t")
    assert warehouse.landed() == []
    # The way that the sentence names: a view has the rights of its owner.
    database.execute("create view meant as select * from t where owner = 'a'; grant select on meant to hidden")
    assert warehouse.land("t", source_table="meant").receipt.rows == 1
    database.execute("drop owned by hidden; drop role hidden")


def test_old_slices_of_a_column_that_became_text_read_as_postgres_printed_them(database, warehouse):
    columns = ", ".join(f"v{n} {kind}" for n, (kind, _, _) in enumerate(RETYPED))
    values = ", ".join(value for _, value, _ in RETYPED)
    database.execute(f"create table t (id int, {columns}); insert into t values (1, {values})")
    warehouse.land("t", ds="2013-01-04")
    database.execute("alter table t " + ", ".join(f"alter v{n} type text using 'new'" for n in range(len(RETYPED))))
    warehouse.land("t", accept=True)
    # Whatever the reader's own zone is.
    found = warehouse.query("set timezone = 'America/New_York'; select * exclude (id, ds) from erp.t order by ds")
    assert found == [tuple(text for _, _, text in RETYPED), ("new",) * len(RETYPED)]


def test_a_real_that_became_double_reads_as_postgres_printed_it(database, warehouse):
    """On Trino too: tests/trino/test_imported_tables.py."""
    database.execute("create table t (id int, v real); insert into t values (1, 0.1), (2, 'NaN'), (3, 3.4028235e38)")
    warehouse.land("t", ds="2013-01-04")
    database.execute("alter table t alter v type double precision; update t set v = 0.1")
    warehouse.land("t", accept=True)
    found = warehouse.query("select ds, id, v::varchar from erp.t order by ds, id")
    assert [value for _, _, value in found] == ["0.1", "nan", "3.4028235e+38", "0.1", "0.1", "0.1"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("text", "jsonb", "v was text and is jsonb"),
        ("interval", "text", "v was interval and is text"),
        ("integer[]", "text[]", r"v was integer\[\] and is text\[\]"),
        ("varchar(5)", "text", None),
        ("varchar(5)", "varchar(9)", None),
        ("bit(5)", "bit(7)", None),
    ],
)
def test_another_type_that_is_carried_as_text_too_is_drift_and_another_length_is_not(
    database, warehouse, before, after, said
):
    database.execute(f"create table t (id int, v {before}); insert into t values (1, null)")
    warehouse.land("t", ds="2013-01-04")
    database.execute(f"alter table t alter v type {after} using null")
    error = warehouse.run(warehouse.node("t"))["t"].error
    assert (error is None) if said is None else (isinstance(error, Refused) and re.search(said, str(error)))
    warehouse.land("t", accept=True)


def test_a_column_that_is_hashed_from_now_on_needs_a_word_as_old_slices_show_it(database, warehouse, monkeypatch):
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "a key of some length")
    database.execute("create table t (id int, v text, n int); insert into t values (1, 'x', 5)")
    warehouse.land("t", ds="2013-01-04")
    with pytest.raises(Refused, match="v was text and is text, hashed; n was integer and is integer, hashed"):
        warehouse.land("t", hashed=["v", "n"])
    warehouse.land("t", hashed=["v", "n"], accept=True)
    [old, new] = warehouse.query("select v, n from erp.t order by ds")
    assert old == ("x", "5")
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in new)


def test_a_value_that_does_not_fit_is_shown_though_its_column_has_quotes(database, warehouse, monkeypatch):
    monkeypatch.setenv("DAYSLICE_SHOW_VALUES", "1")
    database.execute('create table t (id int, "q""x" numeric); insert into t values (1, 1.005)')
    with pytest.raises(DaysliceError, match=r'column q"x has 1\.005, which is no decimal\(10,2\); nothing'):
        warehouse.land("t", types={'q"x': "decimal(10,2)"})


def test_a_persons_own_type_that_is_named_like_one_of_postgres(database, warehouse):
    database.execute(
        "create schema own; create type own.numeric as enum ('a'); create table t (id int, v own.numeric); "
        "insert into t values (1, 'a')"
    )
    version = warehouse.land("t")
    assert warehouse.query("select v from erp.t") == [("a",)]
    assert json.loads(version.receipt.more["columns"])[1][3] == "varchar"


def test_another_hash_key_is_refused_until_it_is_accepted(database, warehouse, monkeypatch):
    database.execute("create table t as select 1 as id, 'x'::text as v")
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "a key of some length")
    first = warehouse.land("t", ds="2013-01-04", hashed=["v"])
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "another key of such length")
    with pytest.raises(Refused, match="DAYSLICE_HASH_KEY is not the secret that the slice before was hashed with"):
        warehouse.land("t", hashed=["v"])
    second = warehouse.land("t", hashed=["v"], accept=True)
    assert first.receipt.more["hash_key"] != second.receipt.more["hash_key"]
    assert "key of" not in first.receipt.to_json()
    warehouse.land("t", ds="2013-01-06", hashed=["v"])
    warehouse.land("t", ds="2013-01-07", columns_only=["id"], accept=True)


def test_a_search_path_is_no_drift_and_names_no_type_otherwise(database, warehouse):
    database.execute(
        "create schema geo; create type geo.mood as enum ('a'); create table t (id int, v geo.mood, w geo.mood[]); "
        "insert into t values (1, 'a', '{a}')"
    )
    first = warehouse.land("t", ds="2013-01-04")
    database.execute(f"alter database {database.name} set search_path = geo, public")
    second = warehouse.land("t")
    assert second.receipt.more["columns"] == first.receipt.more["columns"]
    assert '"geo.mood[]"' in first.receipt.more["columns"]
    database.execute("create type public.mood as enum ('a'); alter table t alter v type public.mood using 'a'")
    with pytest.raises(Refused, match=r"v was geo.mood and is public.mood"):
        warehouse.land("t", ds="2013-01-06")


@pytest.mark.parametrize("name", ["bool", "int4", "date", "uuid", "bytea"])
def test_a_base_type_of_a_persons_own_is_not_taken_for_one_of_postgres(database, warehouse, name):
    database.execute(
        f"create schema own; create type own.{name};"
        f"create function own.i(cstring) returns own.{name} language internal immutable strict as 'textin';"
        f"create function own.o(own.{name}) returns cstring language internal immutable strict as 'textout';"
        f"create type own.{name} (input = own.i, output = own.o, like = text, category = 'A');"
        f"create table t (id int, v own.{name}); insert into t values (1, 'anything')"
    )
    with pytest.raises(DaysliceError, match=rf"column 'v' is own\.(\"{name}\"|{name}), which no engine's type holds"):
        warehouse.land("t")
    warehouse.land("t", types={"v": "text"})
    assert warehouse.query("select v from erp.t") == [("anything",)]
