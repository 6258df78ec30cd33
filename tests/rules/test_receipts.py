"""What a receipt says of inputs and content comes back, also from a partition's parameters."""

from dayslice.metastore.partitions import Row, partition_parameters, shown_version
from dayslice.rules.calendar import window
from dayslice.rules.receipts import Fingerprint, Read, fingerprint_of, inputs_of, inputs_text, is_same_content
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id

SLICE = Slice(Table("analytics", "t"), "2013-01-01")


def fingerprint(rows="1", algorithm="duckdb", **columns):
    return Fingerprint(algorithm, rows, columns)


def test_a_year_of_inputs_fits_into_a_partition_and_comes_back():
    orders = Table("erp", "orders")
    inputs = {Slice(orders, ds): Read(new_version_id(), "0123456789abcdef") for ds in window("2013-12-31", 365)}
    wide = fingerprint(**{f"a_rather_long_name_of_column_{n}": f"{n * 7919:020x}" for n in range(200)})
    receipt = Receipt(rows=1, more={"inputs": inputs_text(inputs), "fingerprint": wide.to_text()})
    version = Version(SLICE, "v1", receipt, "s3://w/t/v1/ds=2013-01-01")
    parameters = partition_parameters(version, 1)
    assert max(len(value) for value in parameters.values()) <= 4000
    found = shown_version(SLICE, Row((SLICE.ds,), version.location, parameters)).receipt
    assert inputs_of(found) == inputs
    assert fingerprint_of(found) == wide


def test_a_receipt_of_before_is_never_the_same_as_another():
    old = Version(SLICE, "v1", Receipt(rows=1))
    assert inputs_of(old.receipt) is None
    assert fingerprint_of(old.receipt) is None
    assert is_same_content(Read("v1"), old)
    assert not is_same_content(Read("v0"), old)


def test_equal_content_is_the_same_whichever_version_has_it():
    content = fingerprint(id="2")
    version = Version(SLICE, "v2", Receipt(rows=1, more={"fingerprint": content.to_text()}))
    assert is_same_content(Read("v1", content.digest), version)
    assert not is_same_content(Read("v1", fingerprint(id="3").digest), version)


def test_columns_that_changed_are_told_where_that_can_be_known():
    before = fingerprint(id="1", kind="2", gone="3")
    assert before.changed_columns(fingerprint(id="1", kind="9", new="4")) == ["kind", "gone", "new"]
    assert before.changed_columns(fingerprint(algorithm="trino checksum", id="1")) is None
    files = fingerprint(algorithm="files sha256")
    assert files.changed_columns(files) == []
    assert files.changed_columns(fingerprint("2", "files sha256")) is None
