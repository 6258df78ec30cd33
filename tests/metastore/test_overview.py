"""Many tables at a glance: on each metastore what one table after another would give."""

from dayslice.rules.slices import Receipt, Slice, Table, Version

TABLES = [Table("analytics", "t"), Table("analytics", "ordered"), Table("analytics", "no_such")]


def version(table, ds):
    name = "v20130101000000000001_abcdef"
    return Version(Slice(table, ds), name, Receipt(rows=1), f"s3://warehouse/warehouse/x/{table.name}/{name}/ds={ds}")


def test_an_overview_has_what_stands_from_one_ds_to_another_of_each_table(metastore, monkeypatch):
    slices = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-03T05", "2013-01-03T2315", "2013-01-04"]
    for ds in slices:
        metastore.publish(version(TABLES[0], ds))
    metastore.publish(version(TABLES[1], "2013-01-02"))
    expected = {
        TABLES[0]: {ds: version(TABLES[0], ds) for ds in slices[1:5]},
        TABLES[1]: {"2013-01-02": version(TABLES[1], "2013-01-02")},
        TABLES[2]: {},
    }
    assert metastore.overview(TABLES, "2013-01-02", "2013-01-03") == expected
    # Hive is asked by names where a table has many more slices.
    monkeypatch.setattr("dayslice.metastore.hive._NEEDLESS", 0)
    assert metastore.overview(TABLES, "2013-01-02", "2013-01-03") == expected
    assert metastore.published_ds_of(TABLES) == {TABLES[0]: slices, TABLES[1]: ["2013-01-02"], TABLES[2]: []}
    assert metastore.overview([], "2013-01-02", "2013-01-03") == metastore.published_ds_of([]) == {}
    assert metastore.overview([Table("no", "such")], "2013-01-02", "2013-01-03") == {Table("no", "such"): {}}
