"""What a partition remembers, and how: pure."""

from hypothesis import given
from hypothesis import strategies as st

from dayslice.metastore.partitions import (
    KEPT_AT_MOST,
    all_versions,
    kept_versions,
    partition_parameters,
    published_version,
)
from dayslice.rules.slices import Receipt, Slice, Table, Version

SLICE = Slice(Table("analytics", "t"), "2013-01-01")


def version(number, **more):
    return Version(SLICE, f"v{number:03}", Receipt(rows=number, more=more), f"s3://w/t/v{number:03}/ds=2013-01-01")


def test_more_versions_than_are_kept_lose_the_oldest_record():
    parameters: dict[str, str] = {}
    for number in range(1, KEPT_AT_MOST + 10):
        earlier = all_versions(SLICE, version(number - 1).location, parameters) if parameters else []
        parameters = partition_parameters(version(number), earlier)
    kept = kept_versions(SLICE, parameters)
    assert len(kept) == KEPT_AT_MOST
    assert kept[0] == version(KEPT_AT_MOST + 8)


def test_no_parameter_is_longer_than_hive_holds():
    wide = "".join(f"column {number} of a wide table, " for number in range(5000))
    parameters = partition_parameters(version(2, columns=wide), [version(1, columns=wide[::-1])])
    assert max(map(len, parameters.values())) <= 4000
    assert published_version(SLICE, version(2).location, parameters) == version(2, columns=wide)
    assert kept_versions(SLICE, parameters) == [version(1, columns=wide[::-1])]


def test_a_partition_that_others_registered_has_no_version_id():
    found = published_version(SLICE, "s3://w/elsewhere", {"transient_lastDdlTime": "1", "numRows": "7"})
    assert (found.id, found.receipt, found.location) == ("", Receipt(rows=0), "s3://w/elsewhere")
    assert "" not in [each.id for each in kept_versions(SLICE, partition_parameters(version(1), [found]))]


@given(st.dictionaries(st.from_regex(r"[a-z]{4,12}", fullmatch=True), st.text(max_size=9000), max_size=4))
def test_any_text_comes_back(more):
    written = version(1, **{f"x{key}": value for key, value in more.items()})
    assert published_version(SLICE, written.location, partition_parameters(written, [])) == written
