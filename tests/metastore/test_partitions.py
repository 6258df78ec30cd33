"""What a partition holds of a version, and how: pure."""

import string

from hypothesis import given
from hypothesis import strategies as st

from dayslice.metastore.journal import journal_of
from dayslice.metastore.partitions import Row, partition_parameters, shown_version
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
