"""Format, buckets and order of a table's files, as its YAML has them."""

import pytest

from dayslice.metastore.hive import HiveMetastore
from dayslice.rules.file_layout import FileLayout
from dayslice.rules.slices import Table

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: plain, config: {meta: {slice: events}}}
  - {name: in_parquet, config: {meta: {slice: events, format: parquet}}}
  - name: bucketed
    config: {meta: {slice: events, bucketed_by: [id], bucket_count: 4, sorted_by: [kind desc, id]}}
  - {name: bucketed_in_parquet, config: {meta: {slice: events, format: PARQUET, bucketed_by: kind, bucket_count: 2}}}
  - {name: bucketed_by_price, config: {meta: {slice: events, bucketed_by: price}}}
  - {name: bucketed_by_nothing, config: {meta: {slice: events, bucketed_by: colour}}}
"""
NAMES = ["plain", "in_parquet", "bucketed", "bucketed_in_parquet", "bucketed_by_price", "bucketed_by_nothing"]
ROWS = (
    "select n, case n % 3 when 0 then 'a' when 1 then 'b' else null end, n / 4.0 "
    "from unnest(sequence({}, 1000)) as t(n)"
)
COLUMNS = "id bigint, kind varchar, price real"


@pytest.fixture(scope="module")
def project(make_project):
    select = "select id, kind, cast(price as decimal(7,2)) as price from {{ slice('erp', 'orders') }}"
    models = {f"models/{name}.sql": select for name in NAMES}
    project = make_project({"models/models.yml": YAML, **models})
    project.empty()
    for ds, rows in (("2013-01-01", ROWS.format(1)), ("2013-01-02", ROWS.format(501)), ("2013-01-03", None)):
        project.land("orders", ds, rows, COLUMNS)
    return project


@pytest.fixture(scope="module")
def built(project):
    first = project.build("2013-01-01")
    assert {first[name].status for name in NAMES[:4]} == {"success"}, first
    again = [project.build(ds, "bucketed") for ds in ("2013-01-02", "2013-01-03", "2013-01-01")]
    assert {each["bucketed"].status for each in again} == {"success"}, again
    assert list(project.published("bucketed")) == ["2013-01-01", "2013-01-02", "2013-01-03"]
    return first


def layout(project, name):
    with HiveMetastore(project.stack.metastore.uri) as metastore:
        return metastore.layout(Table("analytics", name))


def first_bytes(project, table):
    """What the files of a table's slices begin with: ORC and Parquet each have a mark there."""
    client = project.stack.store.client()
    found = set()
    for (path,) in project.query(f'select distinct "$path" from {table}'):
        bucket, key = path.removeprefix("s3://").split("/", 1)
        found.add(client.get_object(Bucket=bucket, Key=key, Range="bytes=0-3")["Body"].read())
    return found


@pytest.mark.parametrize("name", NAMES[1:4])
def test_a_layout_changes_the_files_and_no_row(project, built, name):
    table, plain = f"analytics.{name}", "analytics.plain"
    where = "where ds = '2013-01-01'"
    assert project.query(f"select count(*) from {table} {where}") == [(1000,)]
    for one, other in ((table, plain), (plain, table)):
        assert project.query(f"(select * from {one} {where}) except (select * from {other} {where})") == []
    found = project.query(f"select id, kind, ds from {table} {where} and id = 7 and kind = 'b'")
    assert found == [(7, "b", "2013-01-01")], "a bucket is found by its value"


def test_files_are_of_the_format_that_was_asked_for(project, built):
    assert {mark[:3] for mark in first_bytes(project, "analytics.plain")} == {b"ORC"}
    assert first_bytes(project, "analytics.in_parquet") == first_bytes(project, "analytics.bucketed_in_parquet")
    assert first_bytes(project, "analytics.in_parquet") == {b"PAR1"}
    assert layout(project, "in_parquet") == FileLayout("PARQUET")


def test_slices_of_a_bucketed_table_are_replaced_and_may_be_empty(project, built):
    found = project.query("select ds, count(*) from analytics.bucketed group by ds order by ds")
    assert found == [("2013-01-01", 1000), ("2013-01-02", 500)]


def test_rows_lie_in_their_buckets_and_each_bucket_is_sorted(project, built):
    assert layout(project, "bucketed") == FileLayout("ORC", ("id",), 4, ("kind desc", "id"))
    where = "ds = '2013-01-01'"
    buckets = project.query(
        f'select count(distinct "$path"), count(distinct "$bucket") from analytics.bucketed where {where}'
    )
    assert buckets == [(4, 4)]
    ((path,), *_) = project.query(f'select distinct "$path" from analytics.bucketed where {where}')
    rows = project.query(f"select kind, id from analytics.bucketed where \"$path\" = '{path}'")
    assert len(rows) > 100
    # Trino puts NULL last, whichever way.
    assert rows == sorted(rows, key=lambda row: ((row[0] is None), -ord(row[0] or "a"), row[1]))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bucketed_by_price", "Trino cannot bucket by price, which is of type decimal(7,2)"),
        ("bucketed_by_nothing", "the SELECT has no column 'colour'; it has id, kind, price"),
    ],
)
def test_what_trino_cannot_bucket_by_is_refused_by_its_column(project, built, name, said):
    assert built[name].status == "error"
    assert f"models/models.yml: {name}: bucketed_by: {said}" in built[name].message
    assert project.published(name) == {}


def test_another_layout_than_the_table_has_is_refused_until_its_history_is_dropped(project, built):
    before = project.published("in_parquet")
    project.write({"models/models.yml": YAML.replace("format: parquet", "format: orc, bucketed_by: id")})
    try:
        refused = project.build("2013-01-02", "in_parquet")["in_parquet"]
        assert "in_parquet is written as PARQUET, and its YAML asks for ORC, bucketed by id into 16" in refused.message
        assert project.published("in_parquet") == before
        asked = ["--full-refresh", "--vars", "{drop_history: in_parquet}"]
        assert project.build("2013-01-02", "in_parquet", options=asked)["in_parquet"].status == "success"
        assert layout(project, "in_parquet") == FileLayout("ORC", ("id",), 16)
        assert project.query("select ds, count(*) from analytics.in_parquet group by ds") == [("2013-01-02", 500)]
    finally:
        project.write({"models/models.yml": YAML})
