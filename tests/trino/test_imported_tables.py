"""What is Trino's own of imports: columns are found by their place, and lines may be empty.

That every type comes back equal is in tests/importers/test_round_trip.py, for all engines.
"""

import io
import json
import multiprocessing
from datetime import UTC, datetime, timedelta

import pyarrow.orc
import pytest
import zstandard
from dayslice_importers import cleaning
from dayslice_importers.engines.choice import open_engine
from dayslice_importers.engines.trino import TrinoEngine

from dayslice.engines.reading import typed_location
from dayslice.metastore.hive import HiveMetastore
from dayslice.metastore.integrity import problems
from dayslice.metastore.stages import STAGING_SCHEMA
from dayslice.rules.slices import Slice, Table
from dayslice.runner.erase import erase
from dayslice.runner.past_on_trino import past_on_trino
from dayslice.store.choice import open_store
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
    table = Table("erp", "drifting")
    with HiveMetastore(warehouse.stack.metastore.uri) as metastore:
        days = metastore.published_ds(table)
        assert metastore.published_ds_of([table]) == {table: days}, "behind its view, as waits and status ask"
        assert [*metastore.overview([table], days[0], days[-1])[table]] == days
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


def shown_at(warehouse, table):
    """Where the files lie that readers are shown, each without its name and its version."""
    found = warehouse.query(f'select distinct ds, "$path" from erp.{table}__landed order by ds')
    return [(ds, "columns" if f"/columns/ds={ds}/" in path else "csv") for ds, path in found]


def staged_of(warehouse, table):
    with HiveMetastore(warehouse.stack.metastore.uri) as metastore:
        return [name for name in metastore.tables(STAGING_SCHEMA) if f"__{table}__" in name]


def test_typed_columns_are_read_and_counted_and_the_csv_stays(database, warehouse):
    database.execute(
        "create table typed as select n as id, repeat('x', 9) || n as v, null::int as none, n % 2 = 0 as even, "
        "timestamptz '2013-01-05 00:00:00.123456+00' as at from generate_series(1, 500) n"
    )
    version = warehouse.land("typed")
    assert shown_at(warehouse, "typed") == [(DS, "columns")]
    assert warehouse.query("select count(*), sum(id), count(none), count_if(even) from erp.typed_latest") == [
        (500, 125250, 0, 250)
    ]
    assert warehouse.query("select distinct cast(at as varchar), typeof(at) from erp.typed") == [
        ("2013-01-05 00:00:00.123456 UTC", "timestamp(6) with time zone")
    ]
    assert staged_of(warehouse, "typed") == []
    assert list(problems(version)) == []
    [file] = json.loads(version.receipt.more["typed"])
    open_store(typed_location(version.location)).remove("")
    assert f"{file} is not there" in next(problems(version))


def test_a_table_goes_without_columns_and_back_and_reads_what_landed_where_a_type_changed(database, warehouse):
    database.execute("create table turning as select 1 as id, 0.1::real as share, true as yes")
    plain = warehouse.land("turning", "2013-01-04", columnar=False)
    assert "typed" not in plain.receipt.more
    warehouse.land("turning", "2013-01-05")
    assert shown_at(warehouse, "turning") == [("2013-01-04", "csv"), ("2013-01-05", "columns")]
    rows = "select ds, id, share, yes from erp.turning order by ds"
    assert [(ds, id, round(share, 3), yes) for ds, id, share, yes in warehouse.query(rows)] == [
        ("2013-01-04", 1, 0.1, True),
        ("2013-01-05", 1, 0.1, True),
    ]
    database.execute(
        "alter table turning alter share type double precision using 0.1, alter yes type text using 'maybe', "
        "alter id type bigint using 1 << 33, add later text"
    )
    database.execute("update turning set id = 8589934592, later = E'a\\\\b'")
    warehouse.land("turning", "2013-01-06", accept=True)
    # A column that got another type is read from the text that landed, in every slice; one that is wider is not.
    assert shown_at(warehouse, "turning") == [
        ("2013-01-04", "csv"),
        ("2013-01-05", "csv"),
        ("2013-01-06", "columns"),
    ]
    assert warehouse.query("select ds, id, share, yes, later from erp.turning order by ds") == [
        ("2013-01-04", 1, 0.1, "t", None),
        ("2013-01-05", 1, 0.1, "t", None),
        ("2013-01-06", 8589934592, 0.1, "maybe", "a\\b"),
    ]
    # The CSV finds a column that came later by its place, between those that are typed.
    database.execute("alter table turning add latest int; update turning set latest = 7")
    warehouse.land("turning", "2013-01-07", columnar=False)
    assert warehouse.query("select id, share, yes, later, latest from erp.turning_latest") == [
        (8589934592, 0.1, "maybe", "a\\b", 7)
    ]
    warehouse.land("turning", "2013-01-07")
    assert warehouse.query("select ds, latest from erp.turning order by ds")[-2:] == [
        ("2013-01-06", None),
        ("2013-01-07", 7),
    ]


def test_what_was_there_and_a_rollback_show_the_csv_or_the_columns_that_a_version_has(database, warehouse):
    database.execute("create table swaying as select n as id from generate_series(1, 3) n")
    first = warehouse.land("swaying", columnar=False)
    then = datetime.now(UTC)
    database.execute("insert into swaying values (4)")
    second = warehouse.land("swaying")
    for name in ("swaying", "swaying_latest"):
        counted = f"select count(*), max(id), max(ds) from erp.{name}"
        with past_on_trino(warehouse.project.target, then, UTC, print) as trino, trino.ask(counted) as answer:
            assert [tuple(row) for row in answer.rows()] == [(3, 3, DS)]
    engine = open_engine(warehouse.project.target)
    for version, how, rows in ((first, "csv", 3), (second, "columns", 4), (first, "csv", 3)):
        engine.publish(version)
        assert shown_at(warehouse, "swaying") == [(DS, how)]
        assert warehouse.query("select count(*), max(id) from erp.swaying_latest") == [(rows, rows)]
        with HiveMetastore(warehouse.stack.metastore.uri) as metastore:
            [now] = metastore.published(Table("erp", "swaying")).values()
        assert (now.id, now.location) == (version.id, version.location)


def test_an_empty_slice_has_no_columns_and_is_no_other_table(database, warehouse):
    database.execute("create table bare (id int, v text)")
    warehouse.land("bare", "2013-01-04", empty="publish")
    assert warehouse.query("select count(*) from erp.bare") == [(0,)]
    database.execute("insert into bare values (1, 'a')")
    warehouse.land("bare", "2013-01-05")
    assert warehouse.query("select ds, id, v from erp.bare") == [("2013-01-05", 1, "a")]


def test_a_value_that_trino_does_not_hold_is_named_and_leaves_nothing(database, warehouse):
    database.execute("create table late (id int, at time); insert into late values (1, '24:00:00')")
    error = warehouse.run(warehouse.node("late"))["late"].error
    assert "column at (time" in str(error)
    assert staged_of(warehouse, "late") == []
    assert S3(warehouse.stack.warehouse).folders("erp/late") == []


def test_an_erased_person_goes_from_landed_csv_and_typed_columns_and_does_not_come_back(
    database, warehouse, monkeypatch
):
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "a secret of some length")
    S3(warehouse.stack.warehouse).remove("erp/persons")  # of a stack that is up for long
    who = "ann@example.org\twith a tab"
    rows = f"values (1, E'{who}', 7), (2, 'bob', 8), (3, null, 9)"
    database.execute(f"create table persons (id, mail, number) as {rows}")
    person = {"person": {"mail": "email", "number": "customer"}}
    first, again = (warehouse.land("persons", "2013-01-05", **person) for _ in range(2))
    node = warehouse.node("persons", **person)
    monkeypatch.setitem(warehouse.project.tables, node.unique_id, node)

    def texts():
        """What lies in the landed files, and in the typed ones."""
        store = S3(f"{warehouse.stack.warehouse}/erp/persons")
        names = [key.partition("erp/persons/")[2] for key in store.sizes("")]
        landed = [zstandard.ZstdDecompressor().stream_reader(store.read(n)).read() for n in names if n.endswith("zst")]
        typed = [pyarrow.orc.ORCFile(io.BytesIO(store.read(n))).read() for n in names if "/columns/" in n]
        assert (len(landed), len(typed)) == (2, 2)
        return b"".join(landed) + repr([each.to_pylist() for each in typed]).encode()

    assert b"ann@example.org" in texts()
    receipt = erase(warehouse.project, "email", who, False, lambda each: None)
    assert [(each.table, each.versions, each.rows) for each in receipt.tables] == [("erp.persons", 2, 2)]
    assert b"ann@example.org" not in texts()
    assert warehouse.query("select id from erp.persons order by id") == [(2,), (3,)]
    assert shown_at(warehouse, "persons") == [("2013-01-05", "columns")]
    with HiveMetastore(warehouse.stack.metastore.uri) as metastore:
        kept = metastore.versions(Slice(Table("erp", "persons"), "2013-01-05"))
    assert [(each.sequence, each.receipt.rows) for each in kept] == [(2, 2), (1, 2)]
    assert not {each.id for each in kept} & {first.id, again.id}
    assert [problem for each in kept for problem in problems(each, deep=True)] == []
    warehouse.land("persons", "2013-01-06", **person)
    assert warehouse.query("select id from erp.persons where ds = '2013-01-06' order by id") == [(2,), (3,)]
    assert erase(warehouse.project, "email", who, False, lambda each: None).tables == []
    assert [each.rows for each in erase(warehouse.project, "customer", "8", False, lambda each: None).tables] == [3]
    assert warehouse.query("select distinct id from erp.persons") == [(3,)]
