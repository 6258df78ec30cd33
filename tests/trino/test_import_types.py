"""Every type that PostgreSQL ships, imported to Trino and read through the typed view: equal value by value.

The examples and the rule of equality are the local engine's (tests/importers/test_round_trip.py). One wide table holds
them all, a column a type, since each table costs a dozen statements.
"""

import re

import pytest
from dbt.adapters.dayslice_trino.credentials import SliceTrinoCredentials

from dayslice.errors import Refused
from dayslice.hive_metastore import HiveMetastore
from dayslice.slices import Table
from dayslice.target import Target
from tests.importers.conftest import make_database, postgres_server
from tests.importers.examples import EXAMPLES, PREPARE
from tests.importers.test_round_trip import normal
from tests.importers.warehouse import Warehouse
from tests.sql.trino_project import SCHEMAS, TrinoProject

__all__ = ["make_database", "postgres_server"]

# Trino has no such dates and times: such a slice is refused, and names the column.
NOT_HELD = {
    "date": ["'infinity'", "'-infinity'"],
    "timestamp": ["'infinity'", "'-infinity'"],
    "timestamptz": ["'294246-12-31 23:59:59.999999+00'", "'infinity'", "'-infinity'"],
    "time": ["'24:00:00'"],
}
HELD = {kind: [each for each in values if each not in NOT_HELD.get(kind, [])] for kind, values in EXAMPLES.items()}
COLUMNS = {kind: f"c{number}" for number, kind in enumerate(HELD)}


class TrinoWarehouse(Warehouse):
    """Imports land in the stack's store, and are read through Trino."""

    def __init__(self, home, stack):
        super().__init__(home, stack.warehouse)
        credentials = SliceTrinoCredentials.from_dict(
            {
                "host": "127.0.0.1",
                "port": stack.ports.trino,
                "user": "test",
                "database": "hive",
                "schema": "analytics",
                "warehouse": stack.warehouse,
                "metastore_uri": stack.metastore.uri,
            }
        )
        target = Target("trino", "trino", "hive", "analytics", home, stack.warehouse, None, credentials)
        self.project = type(self.project)(home, target, None, {}, {}, self.project.time_zone)
        self.stack = stack

    def query(self, sql):
        return TrinoProject.query(self, sql)


@pytest.fixture(scope="module")
def warehouse(stack, tmp_path_factory):
    with HiveMetastore(stack.metastore.uri) as metastore:
        for schema in SCHEMAS:
            for name in metastore.tables(schema):
                metastore.drop_table(Table(schema, name))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment().items():
            patch.setenv(name, value)
        yield TrinoWarehouse(tmp_path_factory.mktemp("home"), stack)


@pytest.fixture(scope="module")
def database(make_database):
    database = make_database()
    database.execute(PREPARE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
        yield database


@pytest.fixture(scope="module")
def imported(database, warehouse):
    database.execute(f"create table wide (id int, {', '.join(f'{name} {kind}' for kind, name in COLUMNS.items())})")
    database.execute("insert into wide (id) values (-1)")
    for number in range(max(map(len, HELD.values()))):
        row = {COLUMNS[kind]: f"({v[number]})::{kind}" for kind, v in HELD.items() if number < len(v)}
        database.execute(f"insert into wide (id, {', '.join(row)}) values ({number}, {', '.join(row.values())})")
    version = warehouse.land("wide")
    assert version.receipt.rows == max(map(len, HELD.values())) + 1
    return warehouse


def shown(kind, name):
    """A value as text, in Trino."""
    if kind == "bytea":
        return f"to_hex({name})"
    return f"cast(cast({name} as double) as varchar)" if kind == "real" else f"cast({name} as varchar)"


def same_writing(kind, text):
    """Dates and times in one writing; the rest as the local engine's test has it."""
    if text is None or kind not in ("date", "time", "timestamp", "timestamp(0)", "timestamptz"):
        return normal(kind, text)
    text = text.removesuffix(" UTC").removeprefix("+")
    if text.endswith(" BC"):
        year, rest = text.removesuffix(" BC").split("-", 1)
        text = f"-{int(year) - 1:04d}-{rest}" if int(year) > 1 else f"0000-{rest}"
    return re.sub(r"(\.\d*?)0+$", r"\1", text.removesuffix("+00")).removesuffix(".")


@pytest.mark.parametrize("kind", HELD)
def test_every_value_comes_back_equal(database, imported, kind):
    name = COLUMNS[kind]
    database.execute("set timezone to 'UTC'; set intervalstyle to 'iso_8601'; set bytea_output to 'hex'")
    # concat() prints as COPY does; a cast to text would cut the padding of char(n).
    expected = dict(
        database.execute(f"select id, case when num_nulls({name}) = 0 then concat('', {name}) end from wide")
    )
    found = dict(imported.query(f"select id, {shown(kind, name)} from erp.wide"))
    assert {key: same_writing(kind, text) for key, text in found.items()} == {
        key: same_writing(kind, text) for key, text in expected.items()
    }


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in NOT_HELD.items() for value in values[:1]]
)
def test_a_value_that_trino_has_not_is_refused_by_its_column(database, warehouse, kind, value):
    database.execute(f"create table not_held_{kind} (id int, v {kind})")
    database.execute(f"insert into not_held_{kind} values (1, {value})")
    with pytest.raises(Refused, match=r"column v .* on Trino holds; nothing was published"):
        warehouse.land(f"not_held_{kind}")
    assert warehouse.query(f"show tables from erp like 'not_held_{kind}%'") == []


def test_new_columns_are_null_before_and_an_accepted_change_of_type_reads_all_slices(database, warehouse):
    database.execute("create table drifting (id int, v int)")
    database.execute("insert into drifting values (1, 7)")
    warehouse.land("drifting", "2013-01-01")
    database.execute("alter table drifting add column added text")
    database.execute("update drifting set added = E'a\\tb'")
    warehouse.land("drifting", "2013-01-02")
    database.execute("alter table drifting alter column v type text using v || E'\\\\'")
    warehouse.land("drifting", "2013-01-03", accept=True)
    rows = warehouse.query("select ds, id, cast(v as varchar), added from erp.drifting order by ds")
    assert rows == [
        ("2013-01-01", 1, "7", None),
        ("2013-01-02", 1, "7", "a\tb"),
        ("2013-01-03", 1, "7\\", "a\tb"),
    ]
    assert warehouse.query("select distinct ds from erp.drifting_latest") == [("2013-01-03",)]


def test_a_table_of_one_text_column_keeps_its_empty_lines(database, warehouse):
    database.execute("create table one_column (v text)")
    database.execute(r"insert into one_column values (''), (null), ('\N'), (E'\n')")
    warehouse.land("one_column")
    assert {v for (v,) in warehouse.query("select v from erp.one_column")} == {"", None, r"\N", "\n"}
