"""Every type, every ugly value: equal value by value after import, read through the typed view.

The rule of equality: PostgreSQL prints the value (its output function, in UTC, ISO, extra_float_digits 1); the engine
casts to text. Then numbers are equal as numbers of their type, dates as texts with the era in one place.
"""

import math
import re
import struct
from decimal import Decimal

import pytest

from dayslice.errors import DaysliceError
from importers.types.mapping import TYPES
from tests.importers.examples import EXAMPLES, MORE_EXAMPLES, PREPARE, PREPARE_MORE
from tests.importers.warehouse import Warehouse

# What EXAMPLES has no column of, and why.
ELSEWHERE = {
    "xml": "in MORE_EXAMPLES",
    "numeric": "as numeric(p,s)",
    "bpchar": "as char(n)",
    "gtsvector": "no values can be written",
    **dict.fromkeys(
        ["pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list"], "no values can be written: catalogs only"
    ),
    **dict.fromkeys(["pg_brin_bloom_summary", "pg_brin_minmax_multi_summary"], "no values can be written"),
    "txid_snapshot": "the old name of pg_snapshot",
    **dict.fromkeys(
        ["regcollation", "regconfig", "regdatabase", "regdictionary", "regnamespace", "regoper"], "as regclass"
    ),
    **dict.fromkeys(["regoperator", "regprocedure"], "as regclass"),
}


def table_of(kind: str) -> str:
    return "t_" + re.sub(r"[^a-z0-9]+", "_", kind.replace("[]", "_array")).strip("_") + ("_q" if '"' in kind else "")


def import_all(database, examples, home):
    """A table a type with its examples, and NULL; imported in one command. Gives the warehouse and the results."""
    for kind, values in examples.items():
        database.execute(f"create table {table_of(kind)} (id int, v {kind})")
        rows = ", ".join(f"({number}, ({value})::{kind})" for number, value in enumerate(values))
        database.execute(f"insert into {table_of(kind)} values {rows}, (-1, null)")
    warehouse = Warehouse(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
        results = warehouse.run(*(warehouse.node(table_of(kind)) for kind in examples))
    return database, warehouse, results


@pytest.fixture(scope="module", params=["duckdb"])
def imported(request, make_database, tmp_path_factory):
    database = make_database()
    database.execute(PREPARE)
    return import_all(database, EXAMPLES, tmp_path_factory.mktemp("warehouse"))


@pytest.fixture(scope="module", params=["duckdb"])
def imported_more(request, debian_database, tmp_path_factory):
    debian_database.execute(PREPARE_MORE)
    return import_all(debian_database, MORE_EXAMPLES, tmp_path_factory.mktemp("warehouse"))


def normal(kind: str, text: str | None) -> object:
    """A value from its text, so that two writings of one value are equal."""
    if text is None:
        return None
    found: object = text
    if kind in ("double precision", "real"):
        width = "d" if kind == "double precision" else "f"
        found = struct.pack(width, math.nan if text.lower() == "nan" else float(text))
    elif kind.startswith(("numeric", "money")):
        found = Decimal(re.sub(r"[$,]", "", text))
    elif kind == "boolean":
        found = text[0]
    elif kind in ("date", "timestamp", "timestamptz"):
        found = re.sub(r"^(\S+)(.*) BC$", r"\1 (BC)\2", text)
    elif kind == "bytea":
        found = text.removeprefix("\\x").lower()
    return found


def assert_equal_values(imported, kind):
    database, warehouse, results = imported
    if (error := results[table_of(kind)].error) is not None:
        raise error
    database.execute("set timezone to 'UTC'; set intervalstyle to 'iso_8601'; set bytea_output to 'hex'")
    # concat() prints as COPY does; a cast to text would cut the padding of char(n).
    shown, value = "concat('', v)", "hex(v)" if kind == "bytea" else "v::varchar"
    if kind == "timestamptz":  # an instant; DuckDB prints those near the last year a millisecond off
        shown = f"case when isfinite(v) then (extract(epoch from v) * 1000000)::bigint::text else {shown} end"
        value = f"case when isfinite(v) then epoch_us(v)::varchar else {value} end"
    expected = dict(database.execute(f"select id, case when id >= 0 then {shown} end from {table_of(kind)}"))
    found = dict(warehouse.query(f"select id, {value} from erp.{table_of(kind)}"))
    assert {key: normal(kind, text) for key, text in found.items()} == {
        key: normal(kind, text) for key, text in expected.items()
    }


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_value_comes_back_equal(imported, kind):
    assert_equal_values(imported, kind)


@pytest.mark.parametrize("kind", MORE_EXAMPLES)
def test_every_value_of_another_server_comes_back_equal(imported_more, kind):
    assert_equal_values(imported_more, kind)


def test_every_type_that_postgres_ships_has_an_example_or_a_reason(imported):
    database, _, _ = imported
    shipped = {
        name
        for (name,) in database.execute(
            "select typname from pg_type where typtype = 'b' and typcategory <> 'A' "
            "and typnamespace = 'pg_catalog'::regnamespace"
        )
    }
    aliases = {
        "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4", "double precision": "float8",
        "boolean": "bool", '"char"': "char", "char(5)": "bpchar", "varchar(70000)": "varchar", "bit(5)": "bit",
        "timestamp(0)": "timestamp",
    }  # fmt: skip
    shown = {aliases.get(kind, kind) for kind in EXAMPLES} | ELSEWHERE.keys()
    assert shipped <= shown
    assert shipped - {"numeric"} <= TYPES.keys()


def test_a_type_of_an_extension_is_refused_by_name_and_can_be_text(debian_database, warehouse, monkeypatch):
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", debian_database.dsn)
    debian_database.execute("create extension ltree; create table trees (path ltree); insert into trees values ('a.b')")
    with pytest.raises(DaysliceError, match=r"column 'path' is ltree.*types: \{path: text\}"):
        warehouse.land("trees")
    warehouse.land("trees", types={"path": "text"})
    assert warehouse.query("select path from erp.trees") == [("a.b",)]
