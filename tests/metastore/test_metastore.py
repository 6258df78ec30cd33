"""What every metastore promises, on each of them."""

import threading

import pytest

from dayslice.errors import DaysliceError, Refused, Transient, UsageError
from dayslice.metastore.hive import HiveMetastore, connect
from dayslice.metastore.journal import Waiting, journal_of
from dayslice.rules.file_layout import FileLayout
from dayslice.rules.slices import Change, Receipt, Slice, Table, Version
from tests.metastore.remembered import Remembered

TABLE = Table("analytics", "t")


def version(number, ds="2013-01-01", rows=None, table=TABLE, **more):
    name = f"v2013010100000000000{number}_abcdef"
    location = f"s3://warehouse/warehouse/analytics/t/{name}/ds={ds}"
    return Version(Slice(table, ds), name, Receipt(rows=number if rows is None else rows, more=more), location)


def test_nothing_is_published_at_first(metastore):
    assert metastore.published(TABLE) == {}
    assert metastore.published(TABLE, ["2013-01-01"]) == {}
    assert metastore.published_ds(TABLE) == []
    assert metastore.versions(Slice(TABLE, "2013-01-01")) == []
    assert metastore.published(Table("no", "such")) == {}
    assert metastore.published_ds(Table("no", "such")) == []


def test_a_receipt_comes_back_as_it_went(metastore):
    receipt = Receipt(
        rows=3, bytes=10**12, files=2, started="2013-01-01T00:00:00+00:00", run="r", code="c", tool="t 1",
        more={"audits": "5 passed, 0 warned", "note": "grüße 'quoted' \\ \"double\"\nnewline 🎉"},
    )  # fmt: skip
    written = Version(Slice(TABLE, "2013-01-01T1315"), "v1_x", receipt, "s3://warehouse/a b/ds=2013-01-01T1315")
    metastore.publish(written)
    assert metastore.published(TABLE) == {"2013-01-01T1315": written}
    metastore.publish(version(2, ds="2013-01-01T1315"))
    assert metastore.versions(written.slice)[-1] == written


def test_what_stands_is_listed_without_what_is_known(metastore):
    metastore.publish(version(1))
    assert TABLE in metastore.sliced_tables("analytics")
    assert TABLE not in metastore.sliced_tables("analytics", {TABLE})
    assert metastore.sliced_tables("no_such") == []


def test_what_is_dropped_stands_no_more_and_begins_anew(metastore):
    metastore.publish(version(1))
    metastore.publish(version(2))
    assert metastore.kinds("analytics")[TABLE] == "slices"
    assert metastore.kinds("no_such") == {}
    metastore.drop(TABLE)
    metastore.drop(TABLE)
    assert TABLE not in metastore.kinds("analytics")
    assert metastore.published(TABLE) == {}
    assert metastore.versions(version(1).slice) == []


def test_publishing_replaces_and_remembers(metastore):
    for number in (1, 2, 3):
        metastore.publish(version(number))
    assert metastore.published(TABLE) == {"2013-01-01": version(3)}
    assert metastore.versions(version(1).slice) == [version(3), version(2), version(1)]


def test_rollback_is_publishing_an_earlier_version(metastore):
    for number in (1, 2, 3, 1):
        metastore.publish(version(number))
    assert metastore.published(TABLE) == {"2013-01-01": version(1)}
    assert metastore.versions(version(1).slice) == [version(3), version(2), version(1)]


def test_the_newer_of_two_versions_is_the_one_that_was_published_later_whatever_the_clock_said(metastore):
    for number in (9, 1, 5, 9):
        metastore.publish(version(number))
    kept = metastore.versions(version(1).slice)
    assert [each.id for each in kept] == [version(number).id for number in (5, 1, 9)]
    assert [each.sequence for each in kept] == sorted((each.sequence for each in kept), reverse=True)


def test_publishing_the_same_version_again_changes_nothing(metastore):
    metastore.publish(version(1))
    metastore.publish(version(1))
    assert metastore.versions(version(1).slice) == [version(1)]


def test_published_of_some_ds(metastore):
    days = [f"2013-01-{day:02}" for day in range(1, 13)]
    for ds in days:
        metastore.publish(version(1, ds=ds))
    assert metastore.published_ds(TABLE) == days
    assert sorted(metastore.published(TABLE)) == days
    asked = metastore.published(TABLE, ["2013-01-05", "2013-01-05", "2014-01-01"])
    assert asked == {"2013-01-05": version(1, ds="2013-01-05")}
    assert metastore.published(TABLE, []) == {}


def test_forgetting_a_kept_version_and_then_the_slice(metastore):
    for number in (1, 2, 3):
        metastore.publish(version(number))
    metastore.forget(version(2))
    assert metastore.versions(version(1).slice) == [version(3), version(1)]
    assert metastore.published(TABLE) == {"2013-01-01": version(3)}
    assert metastore.history(TABLE) == {"2013-01-01": [version(3), version(1)]}
    metastore.forget(version(2))
    metastore.forget(version(1))
    metastore.forget(version(3))
    assert metastore.published(TABLE) == {"2013-01-01": version(3)}, "what is published is not forgotten"
    assert metastore.unpublish(version(2)) is False, "another one is published"
    assert metastore.unpublish(version(3)) is True
    assert metastore.published(TABLE) == {}
    assert metastore.versions(version(3).slice) == []
    assert metastore.unpublish(version(3)) is False


def test_a_slice_that_was_removed_can_be_published_again(metastore):
    metastore.publish(version(1))
    assert metastore.unpublish(version(1))
    metastore.publish(version(2))
    assert metastore.history(TABLE) == {"2013-01-01": [version(2)]}


of_catalogs = pytest.mark.parametrize(
    "metastore", [pytest.param("hive", marks=pytest.mark.trino), "glue"], indirect=True
)


@of_catalogs
def test_a_catalog_tells_how_a_table_s_files_are_written(metastore):
    assert metastore.layout(TABLE) == FileLayout("ORC")
    ordered = FileLayout("ORC", bucketed_by=("b",), bucket_count=8, sorted_by=("a", "b desc"))
    assert metastore.layout(Table("analytics", "ordered")) == ordered
    assert metastore.layout(Table("analytics", "absent")) is None


@of_catalogs
def test_an_unknown_table_cannot_be_published_to(metastore):
    for table in (Table("analytics", "absent"), Table("absent", "t"), Table("analytics", "no.such")):
        with pytest.raises(DaysliceError, match=str(table)):
            metastore.publish(version(1, table=table))
        assert metastore.published(table, ["2013-01-01"]) == {}


@pytest.mark.parametrize("metastore", [pytest.param("hive", marks=pytest.mark.trino)], indirect=True)
def test_publishers_at_once_leave_one_whole_version(metastore):
    failures = []

    def publish(number):
        try:
            with HiveMetastore(metastore.uri) as own:
                for _ in range(10):
                    own.publish(version(number))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=publish, args=[number]) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    (published,) = metastore.published(TABLE).values()
    assert published in [version(number) for number in range(1, 5)]


@pytest.mark.parametrize("metastore", [pytest.param("hive", marks=pytest.mark.trino)], indirect=True)
def test_a_table_that_another_makes_while_it_is_asked_for_is_one_without_slices(metastore, monkeypatch):
    with connect(metastore.uri) as client:
        made = metastore._table(TABLE)
        client.drop_table(TABLE.schema, TABLE.name, False)
        look = metastore._table

        def made_before_the_look(table):
            if TABLE.name not in client.get_all_tables(TABLE.schema):
                client.create_table(made)
            return look(table)

        monkeypatch.setattr(metastore, "_table", made_before_the_look)
        assert list(metastore._rows_of(TABLE, ["2013-01-01", "2013-01-02"])) == []
        assert TABLE.name in client.get_all_tables(TABLE.schema)


def test_a_metastore_that_is_away_is_transient_and_named():
    with pytest.raises(Transient, match=":1 does not answer"):
        HiveMetastore("thrift://127.0.0.1:1", retry_seconds=0).published(TABLE)


@pytest.mark.parametrize("uri", ["", "127.0.0.1:9083", "http://127.0.0.1:9083"])
def test_a_uri_that_is_none_is_refused(uri):
    with pytest.raises(UsageError, match="thrift://"):
        HiveMetastore(uri).published(TABLE)


def test_many_slices_change_at_once_or_none_of_them(metastore):
    days = [f"2013-01-{day:02}" for day in range(1, 8)]
    first, second = [version(1, ds=ds) for ds in days[:4]], [version(2, ds=ds) for ds in days]
    for each in first:
        metastore.publish(each)
    before = {each.slice.ds: each.id for each in first}
    changes = [Change(each.slice, each, before.get(each.slice.ds, "")) for each in second[1:]]
    changes += [Change(first[0].slice, None, first[0].id)]
    wrong = Change(changes[0].slice, changes[0].version, "")
    assert metastore.change([wrong, *changes[1:]]) == [wrong.slice]
    assert {ds: each.id for ds, each in metastore.published(TABLE).items()} == before
    assert metastore.change(changes) == []
    assert metastore.published(TABLE) == {each.slice.ds: each for each in second[1:]}
    assert [each.id for each in metastore.versions(second[1].slice)] == [second[1].id, first[1].id]
    assert [each.sequence for each in metastore.versions(second[1].slice)] == [2, 1]
    assert metastore.versions(first[0].slice) == []
    back = [Change(first[1].slice, first[1], second[1].id)]
    assert metastore.change(back) == []
    assert metastore.published(TABLE, [days[1]])[days[1]] == first[1]
    assert metastore.versions(first[1].slice)[0] == second[1], "it has the place in time that it had"


def test_a_slice_changed_with_others_can_be_published_and_taken_away_as_any(metastore):
    one = version(1)
    assert metastore.change([Change(one.slice, one, "")]) == []
    metastore.publish(version(2))
    assert [each.id for each in metastore.versions(one.slice)] == [version(2).id, one.id]
    metastore.forget(one)
    assert [each.id for each in metastore.versions(one.slice)] == [version(2).id]
    assert metastore.unpublish(version(2))


def test_another_version_takes_the_place_of_one_with_its_number_and_its_being_published(metastore):
    for number in (1, 2):
        metastore.publish(version(number))
    later, earlier = version(4, rewritten_from=version(2).id), version(3)
    assert metastore.rewrite(version(2), later)
    assert metastore.rewrite(version(1), earlier)
    assert metastore.published(TABLE) == {"2013-01-01": later}
    kept = metastore.versions(later.slice)
    assert [(each, each.sequence) for each in kept] == [(later, 2), (earlier, 1)]
    assert metastore.history(TABLE) == {"2013-01-01": kept}
    assert metastore.rewrite(version(2), version(5)) is False, "it is not kept any more"
    assert metastore.versions(later.slice) == kept
    metastore.publish(earlier)
    assert [each.id for each in metastore.versions(later.slice)] == [later.id, earlier.id]
    metastore.forget(later)
    assert metastore.versions(later.slice) == [earlier]


@of_catalogs
def test_one_that_was_rewritten_is_published_no_more_by_who_still_knows_it(metastore):
    for number in (1, 2):
        metastore.publish(version(number))
    metastore.rewrite(version(1), version(3, rewritten_from=version(1).id))
    with pytest.raises(Refused, match="was written anew as"):
        metastore.publish(version(1))
    with pytest.raises(Refused, match="was written anew as"):
        metastore.change([Change(version(1).slice, version(1), version(2).id)])
    assert metastore.published(TABLE) == {"2013-01-01": version(2)}


def test_the_list_of_erased_persons_has_each_hash_once(metastore):
    assert metastore.suppressed() == []
    assert metastore.suppressed_by() == ""
    when = "2013-01-01T00:00:00+00:00"
    metastore.suppress("email", ["aa", "~bb"], "key", when, "s3://warehouse/warehouse")
    metastore.suppress("grüße/=x", ["cc"], "key", when, "s3://warehouse/warehouse")
    metastore.suppress("email", ["aa", "~bb"], "key", when, "s3://warehouse/warehouse")
    assert sorted(metastore.suppressed()) == [("email", "aa"), ("email", "~bb"), ("grüße/=x", "cc")]
    assert metastore.suppressed_by() == "key"


@of_catalogs
def test_a_version_that_was_made_before_somebody_was_erased_is_not_published(metastore):
    metastore.publish(version(1, left_out="0"))
    metastore.suppress("email", ["aa"], "key", "2013-01-01T00:00:00+00:00", "s3://warehouse/warehouse")
    with pytest.raises(Refused, match="while it was made"):
        metastore.publish(version(2, left_out="0"))
    with pytest.raises(Refused, match="while it was made"):
        metastore.change([Change(version(2).slice, version(2, left_out="0"), version(1).id)])
    metastore.publish(version(3, left_out="1"))
    metastore.publish(version(1, left_out="0"))  # a rollback: what is kept was looked into
    metastore.settle(TABLE)
    assert metastore.published(TABLE)["2013-01-01"].id == version(1).id


def test_who_erases_waits_for_turns_that_have_begun_and_for_no_later_ones(monkeypatch):
    metastore = Remembered({TABLE: {}})
    waited = []
    with metastore.turn(version(1).slice):
        later = []

        def pause(_):
            waited.append(1)
            if not later:  # who comes now has the whole list
                later.append(metastore.turn(version(1, ds="2013-01-02").slice))
                later[0].__enter__()
            elif len(waited) == 3:
                for values in [each for each in metastore.tables_of[journal_of(TABLE)] if each[0] == "2013-01-01"]:
                    metastore._drop(journal_of(TABLE), values)

        monkeypatch.setattr(Waiting, "pause", pause)
        metastore.settle(TABLE)
    assert len(waited) == 3
