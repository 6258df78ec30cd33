import pytest

from dayslice.rules.failures import never_succeeds


@pytest.mark.parametrize(
    ("message", "final"),
    [
        ('Runtime Error in model t (models/t.sql)\n  Parser Error: syntax error at or near "form"', True),
        ('Runtime Error in model t\n  Binder Error: Referenced column "x" not found in FROM clause!', True),
        ('Database Error\n  TrinoUserError(type=USER_ERROR, name=COLUMN_NOT_FOUND, message="line 1:8")', True),
        ('Database Error\n  TrinoUserError(type=USER_ERROR, name=DIVISION_BY_ZERO, message="")', True),
        ("Compilation Error in model t: 'dict object' has no attribute 'x'", True),
        ("Runtime Error\n  IO Error: Could not set lock on file", False),
        ("Runtime Error\n  Catalog Error: Table with name orders does not exist!", False),
        ("Database Error\n  TrinoQueryError(type=INTERNAL_ERROR, name=GENERIC_INTERNAL_ERROR)", False),
        ("Database Error\n  TrinoUserError(type=USER_ERROR, name=USER_CANCELED)", False),
        ("Database Error\n  TrinoQueryError(type=INSUFFICIENT_RESOURCES, name=EXCEEDED_TIME_LIMIT)", False),
        ("connection refused", False),
        ("", False),
    ],
)
def test_what_the_engine_calls_wrong_is_not_tried_again(message, final):
    assert never_succeeds(message) is final
