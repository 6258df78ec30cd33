import pytest

from dayslice.errors import UsageError
from dayslice.rules.file_layout import FileLayout


def test_a_table_says_format_buckets_and_order():
    meta = {"format": "parquet", "bucketed_by": "Id", "sorted_by": ["Kind  DESC", "id asc"]}
    assert FileLayout.parse(meta) == FileLayout("PARQUET", ("id",), 16, ("kind desc", "id"))
    assert str(FileLayout.parse(meta)) == "PARQUET, bucketed by id into 16, sorted by kind desc, id"
    assert FileLayout.parse({}) == FileLayout()


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"format": "avro"}, "format: 'avro' is not known: write ORC or PARQUET"),
        ({"sorted_by": "id"}, "sorted_by: Trino sorts within buckets only"),
        ({"bucket_count": 4}, "bucket_count: there is nothing to count"),
        ({"bucketed_by": "id", "bucket_count": 0}, "bucket_count: 0 is no number"),
        ({"bucketed_by": "id", "bucket_count": "4"}, "bucket_count: '4' is no number"),
        ({"bucketed_by": [1]}, r"bucketed_by: \[1\] is no column"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(meta, said):
    with pytest.raises(UsageError, match=said):
        FileLayout.parse(meta)


def test_what_a_metastore_says_is_read_back():
    orc = "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat"
    parquet = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    assert FileLayout.stored(orc, [], -1, []) == FileLayout()
    assert FileLayout.stored(parquet, ["ID"], 4, ["Kind desc"]) == FileLayout("PARQUET", ("id",), 4, ("kind desc",))


def test_columns_are_held_to_the_select():
    layout = FileLayout("ORC", ("id",), 4, ("kind desc",))
    layout.check_columns({"id": "bigint", "kind": "varchar"})
    with pytest.raises(UsageError, match="sorted_by: the SELECT has no column 'kind'; it has id"):
        layout.check_columns({"id": "bigint"})
    with pytest.raises(UsageError, match=r"cannot bucket by id, which is of type decimal\(5,2\)"):
        layout.check_columns({"id": "decimal(5,2)", "kind": "varchar"})
