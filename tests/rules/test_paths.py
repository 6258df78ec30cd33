"""No name leads out of the warehouse, whichever noun it is part of."""

import pytest

from dayslice.errors import UsageError
from dayslice.metastore.stages import table_location, version_location
from dayslice.rules.paths import checked, joined
from dayslice.rules.slices import Slice, Table

BAD = ["", ".", "..", "../../../x", "/etc/x", "a/b", "a\\b", "a\0b", "a\nb", "x" * 256, "ü" * 128]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_could_leave_the_warehouse_is_refused(name):
    for make in (
        lambda: checked(name, "the table"),
        lambda: joined("erp", name),
        lambda: Table(name, "t"),
        lambda: Table("erp", name),
        lambda: Slice(Table("erp", "t"), name or ".."),
        lambda: version_location("/w", Slice(Table("erp", "t"), "2013-01-05"), name),
    ):
        with pytest.raises(UsageError, match="cannot be part of a path"):
            make()


@pytest.mark.parametrize("name", ["orders", "Order Lines", "bücher", "a.b", "...", "~x", "name=value", "x" * 255])
def test_other_names_are_paths_as_they_are(name):
    assert table_location("s3://w/p", Table("erp", name)) == f"s3://w/p/erp/{name}"
