"""Every type, every ugly value: equal value by value after import, read through the typed view of each engine.

One wide table a server, a column a type, as one that needs libxml or an extension is on another server. The rule of
equality: PostgreSQL prints the value (its output function, in UTC, ISO, extra_float_digits 1); the engine casts to
text; both texts give one value by `normal`, the same for all engines.
"""

import math
import re
import struct
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from dayslice_importers.types.mapping import TYPES

from dayslice.errors import DaysliceError, Refused
from tests.importers.examples import EXAMPLES, MORE_EXAMPLES, PREPARE, PREPARE_MORE
from tests.importers.warehouse import Warehouse

TEXTS_OF_DUCKDB = {
    "bytea": "hex(v)",
    # An instant; as text, DuckDB prints those near the last year a millisecond off.
    "timestamptz": "case when isfinite(v) then make_timestamp(epoch_us(v))::varchar else v::varchar end",
}
TEXTS_OF_TRINO = {"bytea": "to_hex(v)", "real": "cast(cast(v as double) as varchar)"}
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
# What an engine has no values for: such a slice is refused, and names the column.
NOT_HELD_BY_DUCKDB = {
    "timestamp": ["'294247-01-11'", "'294276-12-31 23:59:59.999999'"],
    "timestamptz": ["'294276-12-31 00:00:00+00'"],
}
NOT_HELD_BY_TRINO = {
    "date": ["'infinity'", "'-infinity'"],
    "timestamp": ["'infinity'", "'-infinity'"],
    "timestamptz": ["'294246-12-31 23:59:59.999999+00'", "'infinity'", "'-infinity'"],
    "time": ["'24:00:00'"],
}


@dataclass
class Engine:
    """One side of the comparison."""

    name: str
    warehouse: Warehouse
    texts: dict[str, str]
    not_held: dict[str, list[str]]
    wide: dict[str, "Wide"] = field(default_factory=dict)

    def held(self, kind: str, examples: dict[str, list[str]]) -> list[str]:
        return [value for value in examples[kind] if value not in self.not_held.get(kind, [])]


@dataclass
class Wide:
    """A table with a column a type, on one server, after its import."""

    database: object
    table: str
    columns: dict[str, str]
    error: DaysliceError | None


@pytest.fixture(scope="module", params=["duckdb", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("warehouse")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "duckdb":
            yield Engine("duckdb", Warehouse(home), TEXTS_OF_DUCKDB, NOT_HELD_BY_DUCKDB)
            return
        from tests.importers.trino_warehouse import TrinoWarehouse  # noqa: PLC0415 - dbt, only where it is needed

        stack = request.getfixturevalue("stack")
        for name, value in stack.environment().items():
            patch.setenv(name, value)
        warehouse = TrinoWarehouse(home, stack)
        warehouse.empty()
        yield Engine("trino", warehouse, TEXTS_OF_TRINO, NOT_HELD_BY_TRINO)


def wide_of(engine, name, make, prepare, examples):
    """All examples in one table, and a row of NULLs; imported once an engine."""
    if name not in engine.wide:
        database = make()
        table = f"{name}_{engine.name}"
        columns = {kind: f"c{number}" for number, kind in enumerate(examples)}
        database.execute(prepare)
        database.execute(f"create table {table} (id int, {', '.join(f'{c} {kind}' for kind, c in columns.items())})")
        database.execute(f"insert into {table} (id) values (-1)")
        held = {kind: engine.held(kind, examples) for kind in examples}
        for number in range(max(map(len, held.values()))):
            row = {
                columns[kind]: f"({values[number]})::{kind}" for kind, values in held.items() if number < len(values)
            }
            database.execute(f"insert into {table} (id, {', '.join(row)}) values ({number}, {', '.join(row.values())})")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
            result = engine.warehouse.run(engine.warehouse.node(table))[table]
        engine.wide[name] = Wide(database, table, columns, result.error)
    return engine.wide[name]


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
    elif kind in ("date", "time", "timestamp", "timestamp(0)", "timestamptz"):
        found = normal_time(text)
    elif kind == "bytea":
        found = text.removeprefix("\\x").lower()
    return found


def normal_time(text: str) -> tuple[int | None, str]:
    """The year, that before 1 being 0, and the rest without zeros after a last digit, in UTC."""
    bare = re.sub(r" ?\(?BC\)?", "", text).removesuffix(" UTC").removesuffix("+00")
    bare = re.sub(r"(\.\d*?)0+$", r"\1", bare).removesuffix(".")
    dated = re.fullmatch(r"([+-]?\d+)(-\d\d-.*)", bare)
    if dated is None:
        return None, bare
    return (1 - int(dated[1]) if "BC" in text else int(dated[1])), dated[2]


def assert_equal_values(engine, wide, kind, examples):
    if wide.error is not None:
        raise wide.error
    column = wide.columns[kind]
    wide.database.execute("set timezone to 'UTC'; set intervalstyle to 'iso_8601'; set bytea_output to 'hex'")
    # concat() prints as COPY does; a cast to text would cut the padding of char(n).
    expected = dict(
        wide.database.execute(
            f"select id, case when num_nulls({column}) = 0 then concat('', {column}) end from {wide.table}"
        )
    )
    shown = re.sub(r"\bv\b", column, engine.texts.get(kind, "cast(v as varchar)"))
    found = dict(engine.warehouse.query(f"select id, {shown} from erp.{wide.table}"))
    assert {key: normal(kind, text) for key, text in found.items()} == {
        key: normal(kind, text) for key, text in expected.items()
    }
    assert sum(text is not None for text in found.values()) == len(engine.held(kind, examples))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_value_comes_back_equal(engine, make_database, kind):
    wide = wide_of(engine, "wide", make_database, PREPARE, EXAMPLES)
    assert_equal_values(engine, wide, kind, EXAMPLES)


@pytest.mark.parametrize("kind", MORE_EXAMPLES)
def test_every_value_of_another_server_comes_back_equal(engine, debian_database, kind):
    wide = wide_of(engine, "more", lambda: debian_database, PREPARE_MORE, MORE_EXAMPLES)
    assert_equal_values(engine, wide, kind, MORE_EXAMPLES)


def test_a_value_that_the_engine_has_not_is_refused_by_its_column(engine, database):
    for kind, values in engine.not_held.items():
        for number, value in enumerate(values):
            table = f"not_held_{kind}_{number}"
            database.execute(f"create table {table} (id int, v {kind}); insert into {table} values (1, {value})")
            with pytest.raises(Refused, match=r"column v .* holds; nothing was published"):
                engine.warehouse.land(table)
            assert (
                engine.warehouse.query(f"select * from information_schema.tables where table_name like '{table}%'")
                == []
            )


def test_every_type_that_postgres_ships_has_an_example_or_a_reason(make_database):
    database = make_database()
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
    with pytest.raises(DaysliceError, match=r"column 'path' is public.ltree.*types: \{path: text\}"):
        warehouse.land("trees")
    warehouse.land("trees", types={"path": "text"})
    assert warehouse.query("select path from erp.trees") == [("a.b",)]
