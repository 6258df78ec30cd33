"""What an import promises beside its values: rows, slices, names, drift, privacy; on a plain directory."""

import datetime as dt
import hashlib
import hmac
import json
import re

import pytest
from dayslice_importers.names import engine_names

from dayslice.errors import DaysliceError, Refused, UsageError
from dayslice.runner.retain import retain
from tests.importers.warehouse import Warehouse

UGLY_NAMES = ["ds", "DS", "Select", "a b", 'q"uote', "per%cent", "{brace}", "✈", "x" * 63, "order", "\\", "tab\there"]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_ugly_names_of_tables_and_columns(database, warehouse):
    columns = ", ".join(f"{quoted(name)} text" for name in UGLY_NAMES)
    values = ", ".join("%s" for _ in UGLY_NAMES)
    database.execute(f'create schema "my ""schema"; create table "my ""schema"."Tab\'le ✈" ({columns})')
    database.execute(f'insert into "my ""schema"."Tab\'le ✈" values ({values})', UGLY_NAMES)
    version = warehouse.land("planes", source_schema='my "schema', source_table="Tab'le ✈")
    mapped = {source: name for name, source, *_ in json.loads(version.receipt.more["columns"])}
    assert list(mapped) == UGLY_NAMES
    for source, name in mapped.items():
        assert warehouse.query(f'select "{name}" from erp.planes') == [(source,)]


def test_one_column_of_empty_texts_and_nulls_and_tables_of_no_rows(database, warehouse):
    database.execute("create table one (v text); insert into one values (''), (null), (''), (E'\\n')")
    database.execute("create table none (a int, b text)")
    warehouse.land("one")
    assert sorted(warehouse.query("select v, ds from erp.one"), key=str) == sorted(
        [("", "2013-01-05"), (None, "2013-01-05"), ("", "2013-01-05"), ("\n", "2013-01-05")], key=str
    )
    with pytest.raises(Refused, match=r"erp.none 2013-01-05 is empty.*`empty: publish` always"):
        warehouse.land("none")
    assert warehouse.land("none", empty="publish").receipt.rows == 0
    assert warehouse.query("select * from erp.none") == []


def test_the_receipt_says_what_was_read_and_written(database, warehouse, tmp_path):
    database.execute("create table t (id int); insert into t values (1), (2)")
    version = warehouse.land("t")
    receipt = version.receipt
    files = sorted((tmp_path / "landing").rglob("*.zst"))
    assert (receipt.rows, receipt.files, receipt.bytes) == (2, 1, sum(file.stat().st_size for file in files))
    assert json.loads(receipt.more["checksums"]) == [f"sha256:{hashlib.sha256(files[0].read_bytes()).hexdigest()}"]
    assert receipt.more["source_lsn"]
    assert receipt.more["source_snapshot"]
    assert receipt.more["schema_fingerprint"]
    assert receipt.started < receipt.finished
    assert receipt.tool.startswith("dayslice ")


def test_a_slice_that_is_imported_again_is_replaced_and_retain_keeps_three_versions(database, warehouse, monkeypatch):
    database.execute("create table t (id int); insert into t values (1)")
    for number in range(2, 7):
        warehouse.land("t")
        database.execute(f"insert into t values ({number})")
    assert warehouse.query("select count(*) from erp.t") == [(5,)]
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    list(retain(warehouse.project, [warehouse.node("t")]))
    kept = {f"erp/t/{version.id}" for version in warehouse.versions("t")}
    assert len(kept) == 3
    assert warehouse.query("select count(*) from erp.t") == [(5,)]
    assert set(warehouse.landed()) == kept


def test_a_cumulative_past_is_refused(database, warehouse):
    database.execute("create table t (id int); insert into t values (1)")
    error = warehouse.run(warehouse.node("t"), as_of_now=False)["t"].error
    assert isinstance(error, Refused)
    assert "--as-of-now" in str(error)
    assert warehouse.landed() == []


def test_a_slice_that_shrinks_too_much_is_refused(database, warehouse):
    database.execute("create table t (id int); insert into t select generate_series(1, 10)")
    warehouse.land("t", ds="2013-01-04")
    database.execute("delete from t where id > 7")
    with pytest.raises(Refused, match="7 rows where 2013-01-04 has 10"):
        warehouse.land("t", max_shrink=0.2)
    assert warehouse.land("t", max_shrink=0.5).receipt.rows == 7


class TestDrift:
    """A source table that changes between two days."""

    @pytest.fixture(autouse=True)
    def landed(self, database, warehouse):
        database.execute("create table t (id int, name text, price numeric(5,2)); insert into t values (1, 'a', 1.50)")
        warehouse.land("t", ds="2013-01-04")

    def test_a_new_column_passes_and_is_null_before(self, database, warehouse):
        database.execute("alter table t add more date default '2013-01-05'")
        assert warehouse.run(warehouse.node("t"))["t"].added == ("more",)
        assert warehouse.query("select ds, more from erp.t order by ds") == [
            ("2013-01-04", None),
            ("2013-01-05", dt.date(2013, 1, 5)),
        ]

    def test_a_column_that_is_gone_stops_the_table_and_no_other(self, database, warehouse):
        database.execute("alter table t drop name; create table u (id int); insert into u values (1)")
        results = warehouse.run(warehouse.node("t"), warehouse.node("u"))
        assert "name is gone" in str(results["t"].error)
        assert "--accept" in str(results["t"].error)
        assert results["u"].error is None
        assert warehouse.query("select ds from erp.t") == [("2013-01-04",)]
        warehouse.land("t", accept=True)
        assert warehouse.query("select id, name, ds from erp.t order by ds") == [
            (1, "a", "2013-01-04"),
            (1, None, "2013-01-05"),
        ]
        warehouse.land("t", ds="2013-01-06")  # accepted once is enough

    def test_the_name_of_a_column_that_is_gone_is_never_another_columns(self, database, warehouse):
        database.execute("alter table t drop name")
        warehouse.land("t", accept=True)
        database.execute("alter table t add \"Name\" text default 'other'")
        warehouse.land("t", ds="2013-01-06")
        [other] = engine_names(["Name"], {"name": "name"}).values()
        assert other != "name"
        shown = f'select name, "{other}" from erp.t order by ds'
        assert warehouse.query(shown) == [("a", None), (None, None), (None, "other")]
        # Its own column takes it up again, though it was gone for two slices.
        database.execute("alter table t add name text default 'back'")
        warehouse.land("t", ds="2013-01-07")
        assert warehouse.query(shown) == [("a", None), (None, None), (None, "other"), ("back", "other")]

    def test_a_renamed_column_is_one_gone_and_one_new(self, database, warehouse):
        database.execute("alter table t rename name to title")
        with pytest.raises(Refused, match=r"name is gone \(new: title\)"):
            warehouse.land("t")

    def test_a_retyped_column_keeps_old_slices_readable(self, database, warehouse):
        database.execute(
            "alter table t alter price type numeric(9,4), alter id type bigint, alter name type date using null"
        )
        with pytest.raises(
            Refused, match=r"id was integer and is bigint.*name was text and is date.*price was numeric"
        ):
            warehouse.land("t")
        warehouse.land("t", accept=True)
        assert warehouse.query("select id::varchar, name, price::varchar from erp.t order by ds") == [
            ("1", "a", "1.5000"),
            ("1", None, "1.5000"),
        ]
        types = dict(warehouse.query("select column_name, column_type from (describe erp.t)"))
        assert types == {"id": "BIGINT", "name": "VARCHAR", "price": "DECIMAL(9,4)", "ds": "VARCHAR"}

    def test_reordered_columns_land_in_their_old_places(self, database, warehouse):
        database.execute(
            "create table n (price numeric(5,2), id int, extra int, name text); "
            "insert into n select price, id, 9, name from t"
        )
        database.execute("drop table t; alter table n rename to t")
        version = warehouse.land("t")
        assert [column[0] for column in json.loads(version.receipt.more["columns"])] == ["id", "name", "price", "extra"]
        assert warehouse.query("select id, name, price::varchar, extra from erp.t where ds = '2013-01-05'") == [
            (1, "a", "1.50", 9)
        ]

    def test_a_new_column_that_folds_to_an_old_name_gets_another(self, database, warehouse):
        database.execute("alter table t add \"NAME\" text default 'upper'")
        warehouse.land("t")
        assert warehouse.query("select name from erp.t order by ds") == [("a",), ("a",)]


class TestEvents:
    """Slices by a date or a timestamp, half-open, in the project's time zone."""

    @pytest.mark.parametrize(
        ("kind", "zone", "inside", "outside"),
        [
            ("date", "UTC", ["2013-01-05"], ["2013-01-04", "2013-01-06", "infinity"]),
            (
                "timestamp",
                "America/New_York",
                ["2013-01-05", "2013-01-05 23:59:59.999999"],
                ["2013-01-06", "2013-01-04 23:59:59.999999"],
            ),
            (
                "timestamptz",
                "America/New_York",
                ["2013-01-05 05:00+00", "2013-01-06 04:59:59.999999+00"],
                ["2013-01-05 04:59:59.999999+00", "2013-01-06 05:00+00"],
            ),
        ],
    )
    def test_a_period_is_half_open(self, database, tmp_path, kind, zone, inside, outside):
        database.execute(f"create table t (at {kind}, kept boolean)")
        for value in inside + outside:
            database.execute("insert into t values (%s, %s)", (value, value in inside))
        warehouse = Warehouse(tmp_path, zone=zone)
        version = warehouse.land("t", slice="events", on="at")
        assert version.receipt.rows == len(inside)
        assert warehouse.query("select bool_and(kept) from erp.t") == [(True,)]

    def test_late_rows_are_landed_again_and_unchanged_slices_left_alone(self, database, warehouse):
        database.execute("create table t (day date); insert into t values ('2013-01-03'), ('2013-01-04')")
        node = warehouse.node("t", slice="events", on="day", look_back=2)
        before = {}
        for ds in ("2013-01-03", "2013-01-04"):
            before[ds] = warehouse.run(node, ds=ds)["t"].version
        database.execute("insert into t values ('2013-01-05'), ('2013-01-04')")
        warehouse.run(node)
        now = warehouse.published("t")
        assert now["2013-01-03"].id == before["2013-01-03"].id
        assert now["2013-01-04"].id != before["2013-01-04"].id
        assert {ds: version.receipt.rows for ds, version in now.items()} == {
            "2013-01-03": 1,
            "2013-01-04": 2,
            "2013-01-05": 1,
        }
        assert len(warehouse.landed()) == 4, "3 published, 1 kept for rollback, nothing else"

    def test_a_wrong_column_is_one_line(self, database, warehouse):
        database.execute("create table t (id int)")
        with pytest.raises(UsageError, match=r"on: 'id' is integer; it must be a date or a timestamp"):
            warehouse.land("t", slice="events", on="id")
        with pytest.raises(UsageError, match=r"on: public.t has no column 'at'"):
            warehouse.land("t", slice="events", on="at")


class TestValuesThatCannotBe:
    """Nothing is lost silently: what no type holds stops the import, with column and example."""

    @pytest.mark.parametrize(
        ("kind", "value", "types", "said"),
        [
            ("numeric", "1", {}, r"column 'v' is numeric, which no engine.s type holds exactly"),
            ("numeric(39,0)", "1", {}, r"column 'v' is numeric\(39,0\), which"),
            ("numeric(10,2)", "'NaN'", {}, r"column v \(numeric\(10,2\)\) has 'NaN', which no decimal\(10,2\) holds"),
            ("numeric", "1.005", {"v": "decimal(10,2)"}, r"column v has 1.005, which is no decimal\(10,2\)"),
            ("numeric", "'Infinity'", {"v": "decimal(10,2)"}, r"column v \(numeric\) has 'Infinity', which no decimal"),
            ("numeric", "123456789", {"v": "decimal(10,2)"}, r"column v \(numeric\) has '123456789"),
            ("timestamp", "'294276-12-31'", {}, r"column v \(timestamp.*\) has .294276-12-31 00:00:00., which"),
            ("text", "''", {"v": "integer"}, r"types: v: 'integer' is no choice: write text or decimal\(p,s\)"),
            ("text", "''", {"v": "decimal(3,1)"}, r"types: v is text, no number of decimals"),
        ],
    )
    def test_it_stops_the_import(self, database, warehouse, monkeypatch, kind, value, types, said):
        database.execute(f"create table t (id int, v {kind}); insert into t values (1, {value})")
        hidden = warehouse.run(warehouse.node("t", types=types))["t"].error
        assert value.strip("'") not in re.sub(r"\(\d+(,\d+)?\)", "", str(hidden)) or value in ("1", "''")
        monkeypatch.setenv("DAYSLICE_SHOW_VALUES", "1")
        result = warehouse.run(warehouse.node("t", types=types))["t"]
        assert result.error is not None
        assert re.search(said, str(result.error)), str(result.error)
        assert warehouse.landed() == []
        assert warehouse.published("t") == {}

    def test_a_choice_carries_it(self, database, warehouse, monkeypatch):
        monkeypatch.setenv("DAYSLICE_SHOW_VALUES", "1")
        database.execute("create table t (a numeric, b numeric, c numeric(60,30))")
        database.execute("insert into t values (1.50, 1e-100, 1), ('NaN', 12, null)")
        with pytest.raises(Refused, match="NaN"):
            warehouse.land("t", types={"a": "decimal(38,10)", "b": "text", "c": "text"})
        database.execute("delete from t where a = 'NaN'")
        warehouse.land("t", types={"a": "decimal(38,10)", "b": "text", "c": "text"})
        assert warehouse.query("select a::varchar, b, c from erp.t") == [
            ("1.5000000000", "0." + "0" * 99 + "1", "1." + "0" * 30)
        ]


class TestPrivacy:
    """What may not leave the source."""

    @pytest.fixture(autouse=True)
    def people(self, database):
        database.execute("create table p (id int, email text, phone text)")
        database.execute("insert into p values (1, E'a\\\\\\n@x', '1'), (2, null, '2'), (3, 'c@x', '3')")

    def test_columns_and_rows_left_out(self, warehouse):
        warehouse.land("p", columns_without=["phone", "email"], row_filter="id < 3 and email is not null")
        assert warehouse.query("select * exclude (ds) from erp.p") == [(1,)]

    def test_a_personal_column_lands_as_a_keyed_hash(self, warehouse, monkeypatch, tmp_path):
        with pytest.raises(UsageError, match="DAYSLICE_HASH_KEY"):
            warehouse.land("p", hashed=["email"])
        monkeypatch.setenv("DAYSLICE_HASH_KEY", "a key of some length")
        warehouse.land("p", hashed=["email"])
        expected = {
            number: value and hmac.new(b"a key of some length", value, hashlib.sha256).hexdigest()
            for number, value in ((1, b"a\\\n@x"), (2, None), (3, b"c@x"))
        }
        assert dict(warehouse.query("select id, email from erp.p")) == expected

    @pytest.mark.parametrize("key", ["columns_without", "columns_only", "hashed", "types"])
    def test_a_column_that_is_not_there_is_named(self, warehouse, key):
        with pytest.raises(UsageError, match=rf"{key}: public.p has no column 'mail'; it has id, email, phone"):
            warehouse.land("p", **{key: {"mail": "text"} if key == "types" else ["mail"]})

    def test_a_column_without_the_right_to_read_it_is_named(self, database, warehouse, monkeypatch):
        database.execute("create role limited login; grant select (id, email) on p to limited")
        monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn.replace("user=postgres", "user=limited"))
        with pytest.raises(UsageError, match=r"no right to read phone of public.p: grant select"):
            warehouse.land("p")
        assert warehouse.land("p", columns_without=["phone"]).receipt.rows == 3
        database.execute("drop owned by limited; drop role limited")


def test_databases_of_other_encodings(make_database, warehouse, monkeypatch):
    monkeypatch.setenv("DAYSLICE_SHOW_VALUES", "1")
    latin = make_database("encoding 'LATIN1' locale 'C' template template0")
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", latin.dsn)
    latin.execute("create table t (v text)")
    latin.execute("insert into t values (%s)", ("é\\ÿ",))
    warehouse.land("t")
    assert warehouse.query("select v from erp.t") == [("é\\ÿ",)]

    unknown = make_database("encoding 'SQL_ASCII' locale 'C' template template0")
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", unknown.dsn)
    unknown.execute("create table u (v text); insert into u values (convert_from('\\xc3a9', 'SQL_ASCII'))")
    warehouse.land("u")
    assert warehouse.query("select v from erp.u") == [("é",)]
    unknown.execute("insert into u values (convert_from('\\xe9', 'SQL_ASCII'))")
    with pytest.raises(DaysliceError, match=r"SQL_ASCII.*0xe9"):
        warehouse.land("u")


def test_a_filter_on_ds_reads_that_slices_files_only(database, warehouse):
    database.execute("create table t (day date, v text)")
    for day in range(1, 9):
        ds = f"2013-01-0{day}"
        if day == 5:
            database.execute("alter table t add more int")
        database.execute("insert into t (day, v) values (%s, 'x')", (ds,))
        warehouse.land("t", ds=ds, slice="events", on="day")
    [(_, plan)] = warehouse.query("explain analyze select count(v) from erp.t where ds = '2013-01-07'")
    assert "Scanning Files: 1/4" in plan
    assert warehouse.query("select count(*) from erp.t") == [(8,)]
