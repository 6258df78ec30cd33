"""Which decimals hold which numerics."""

import pytest
from dayslice_importers.types.numeric import decimal_type, declared_decimal


@pytest.mark.parametrize(
    ("precision", "scale", "kind"),
    [
        (10, 2, "decimal(10,2)"),
        (38, 38, "decimal(38,38)"),
        (3, -2, "decimal(5,0)"),
        (2, 5, "decimal(5,5)"),
        (39, 0, None),
        (1, 39, None),
        (37, -2, None),
        (None, 0, None),
    ],
)
def test_a_numeric_of_the_source(precision, scale, kind):
    found = decimal_type(precision, scale)
    assert (found and found.duckdb) == kind


@pytest.mark.parametrize(
    "text", ["decimal(39,0)", "decimal(5,6)", "decimal(0,0)", "decimal", "numeric(5,2)", "decimal(5,2);--"]
)
def test_a_choice_that_is_none(text):
    assert declared_decimal(text) is None
