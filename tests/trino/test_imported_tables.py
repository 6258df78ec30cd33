"""What is Trino's own of imports: columns are found by their place, and lines may be empty.

That every type comes back equal is in tests/importers/test_round_trip.py, for all engines.
"""

import multiprocessing
from datetime import timedelta

import pytest
from dayslice_importers import cleaning
from dayslice_importers.engines.trino import TrinoEngine

from dayslice.metastore.hive import HiveMetastore
from dayslice.rules.slices import Slice, Table
from dayslice.store.s3 import S3
from tests.importers.conftest import make_database, postgres_server
from tests.importers.test_rollback import check_rollback
from tests.importers.trino_warehouse import TrinoWarehouse
from tests.importers.warehouse import DS

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


def test_a_real_that_became_double_reads_as_postgres_printed_it(database, warehouse):
    """On DuckDB too: tests/importers/test_silent_changes.py."""
    database.execute("create table widened (id int, v real)")
    database.execute("insert into widened values (1, 0.1), (2, 3.4028235e38)")
    warehouse.land("widened", "2013-01-04")
    database.execute("alter table widened alter v type double precision; update widened set v = 0.1")
    warehouse.land("widened", accept=True)
    assert [v for (v,) in warehouse.query("select v from erp.widened order by ds, id")] == [0.1, 3.4028235e38, 0.1, 0.1]


def land_on_another_machine(home, stack, together, done):
    """A home of its own, so that no lock is shared."""
    warehouse = TrinoWarehouse(home, stack)
    real = TrinoEngine.publish

    def publish(engine, version):
        together.wait(120)  # both have landed, and neither is published
        return real(engine, version)

    TrinoEngine.publish = publish
    result = warehouse.run(warehouse.node("shared"))["shared"]
    done.put(result.error and str(result.error))


def test_two_machines_that_import_one_slice_at_once_leave_whole_versions(
    database, warehouse, stack, tmp_path, monkeypatch
):
    database.execute("create table shared as select n as id from generate_series(1, 1000) as n")
    warehouse.land("shared")
    context = multiprocessing.get_context("fork")
    together, done = context.Barrier(2), context.Queue()
    machines = [
        context.Process(target=land_on_another_machine, args=(tmp_path / name, stack, together, done))
        for name in ("one", "two")
    ]
    for each in machines:
        each.start()
    assert [done.get(timeout=300) for _ in machines] == [None, None]
    for each in machines:
        each.join(60)

    def folders_and_versions():
        with HiveMetastore(stack.metastore.uri) as metastore:
            kept = {version.id for version in metastore.versions(Slice(Table("erp", "shared"), DS))}
        return set(S3(stack.warehouse).folders("erp/shared")) - {"_journal"}, kept

    assert warehouse.query("select count(*), count(distinct id) from erp.shared") == [(1000, 1000)]
    folders, kept = folders_and_versions()
    assert kept == folders, "both took their turn"
    assert len(folders) == 3
    monkeypatch.setattr(cleaning, "SURELY_DEAD", timedelta())
    warehouse.land("shared")
    folders, now_kept = folders_and_versions()
    assert folders == now_kept
    assert kept < now_kept
    assert warehouse.query("select count(*), count(distinct id) from erp.shared") == [(1000, 1000)]


def test_a_table_of_one_text_column_keeps_its_empty_lines(database, warehouse):
    database.execute("create table one_column (v text)")
    database.execute(r"insert into one_column values (''), (null), ('\N'), (E'\n')")
    warehouse.land("one_column")
    assert {v for (v,) in warehouse.query("select v from erp.one_column")} == {"", None, r"\N", "\n"}


def test_an_import_goes_back_to_an_earlier_version_and_forth_again(database, warehouse):
    check_rollback(database, warehouse)
