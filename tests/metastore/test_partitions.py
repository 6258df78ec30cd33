"""What a partition holds of a version, and how: pure."""

import string

from hypothesis import given
from hypothesis import strategies as st

from dayslice.metastore.journal import journal_of, journals_of
from dayslice.metastore.partitions import Row, partition_parameters, shown_version
from dayslice.metastore.stages import left_behind, stage_name, stage_prefix, stages_of, version_location
from dayslice.rules.slices import Receipt, Slice, Table, Version

SLICE = Slice(Table("analytics", "t"), "2013-01-01")


def version(number, **more):
    return Version(SLICE, f"v{number:03}", Receipt(rows=number, more=more), f"s3://w/t/v{number:03}/ds=2013-01-01")


def shown(version, parameters):
    return shown_version(SLICE, Row((SLICE.ds,), version.location, parameters))


def test_no_parameter_is_longer_than_hive_holds_in_bytes_of_any_encoding():
    wide = "".join(f"column {number} of a wide table, " for number in range(5000))
    written = version(2, columns=wide, short="ü" * 3000, umlaut="ü")
    parameters = partition_parameters(written, 7)
    assert max(len(value.encode()) for value in parameters.values()) <= 4000
    assert all(value.isascii() for value in parameters.values())
    assert shown(written, parameters) == written
    assert shown(written, parameters).sequence == 7


def test_a_partition_that_others_registered_has_no_version_id():
    row = Row((SLICE.ds,), "s3://w/elsewhere", {"transient_lastDdlTime": "1", "numRows": "7"})
    found = shown_version(SLICE, row)
    assert (found.id, found.receipt, found.location) == ("", Receipt(rows=0), "s3://w/elsewhere")


@given(st.dictionaries(st.from_regex(r"[a-z]{4,12}", fullmatch=True), st.text(max_size=9000), max_size=4))
def test_any_text_comes_back(more):
    written = version(1, **{f"x{key}": value for key, value in more.items()})
    assert shown(written, partition_parameters(written, 1)) == written


NAMES = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=128)


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_two_tables_share_a_journal(schema, name, other_schema, other_name):
    one, other = Table(schema, name), Table(other_schema, other_name)
    assert (journal_of(one) == journal_of(other)) == (one == other)
    assert len(journal_of(one).name) <= 128


def test_tables_whose_names_meet_when_they_are_joined_do_not_share_a_journal():
    assert journal_of(Table("x__b", "a")) != journal_of(Table("x", "b__a"))
    assert journal_of(Table("X", "A")) == journal_of(Table("x", "a")), "Hive has one of the two"


def test_the_stages_of_tables_whose_names_meet_do_not_meet():
    one = stage_prefix(Slice(Table("x__b", "a"), "2013-01-01"))
    other = stage_prefix(Slice(Table("x", "b__a"), "2013-01-01"))
    assert not one.startswith(other)
    assert not other.startswith(one)
    assert stage_prefix(Slice(Table("X", "Upper"), "2013-01-01T13")) == "t1_x__upper__2013_01_01t13__"


class OneStage:
    """A catalog with one stage table, which lies where somebody put it."""

    def __init__(self, location):
        self.placed = location

    def tables(self, schema, prefix=""):
        return [name for name in [stage_name(SLICE, OLD)] if name.startswith(prefix)]

    def versions(self, slice):
        return []

    def location(self, table):
        return self.placed


OLD = "v20130101000000000000_abcdef"


def test_files_of_a_dead_stage_are_deleted_only_where_its_version_may_lie():
    own = version_location("s3://w", SLICE, OLD)
    (stage,) = left_behind(OneStage(own.replace("s3://", "s3a://")), "s3://w", SLICE)
    assert (stage.location, stage.is_known) == (own, False)
    (stage,) = left_behind(OneStage("s3://w/analytics"), "s3://w", SLICE)
    assert stage.is_known, "the whole schema would go"
    (stage,) = left_behind(OneStage(own + "/.."), "s3://w", SLICE)
    assert stage.is_known


def test_the_tables_of_a_schema_are_known_by_their_journals():
    class Journals:
        def tables(self, schema, prefix=""):
            assert schema == "_dayslice"
            keys = [journal_of(Table(*each)).name for each in (("x", "b__a"), ("x__b", "a"), ("x", "c"))]
            return [key for key in keys if key.startswith(prefix)]

    assert [name for _, name in journals_of(Journals(), "x")] == ["b__a", "c"]
    assert [name for _, name in journals_of(Journals(), "x__b")] == ["a"]


def test_the_stages_of_a_table_are_no_other_s():
    assert [version for _, version in stages_of(OneStage(""), SLICE.table)] == [OLD]
    assert list(stages_of(OneStage(""), Table("analytics", "t__2013_01_01"))) == []
    assert list(stages_of(OneStage(""), Table("analytics", "other"))) == []
