"""What is Trino's own of imports: columns are found by their place, and lines may be empty.

That every type comes back equal is in tests/importers/test_round_trip.py, for all engines.
"""

import pytest

from tests.importers.conftest import make_database, postgres_server
from tests.importers.trino_warehouse import TrinoWarehouse

__all__ = ["make_database", "postgres_server"]


@pytest.fixture(scope="module")
def warehouse(stack, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment().items():
            patch.setenv(name, value)
        warehouse = TrinoWarehouse(tmp_path_factory.mktemp("home"), stack)
        warehouse.empty()
        yield warehouse


@pytest.fixture(scope="module")
def database(make_database):
    database = make_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
        yield database


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
