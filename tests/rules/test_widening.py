import pytest

from dayslice.rules.widening import widens


@pytest.mark.parametrize(
    ("selected", "declared"),
    [
        ("INTEGER", "bigint"),
        ("tinyint", "smallint"),
        ("integer", "decimal(12,2)"),
        ("decimal(10,2)", "decimal(12, 3)"),
        ("integer", "double"),
        ("real", "double"),
        ("varchar(10)", "varchar"),
        ("varchar(10)", "varchar(20)"),
        ("date", "timestamp(6)"),
    ],
)
def test_no_value_is_lost(selected, declared):
    assert widens(selected, declared)
    assert not widens(declared, selected)


@pytest.mark.parametrize(
    ("selected", "declared"),
    [
        ("bigint", "decimal(18,0)"),
        ("bigint", "double"),
        ("decimal(10,2)", "decimal(11,4)"),
        ("varchar", "integer"),
        ("timestamp", "date"),
        ("double", "decimal(38,10)"),
        ("struct(a integer)", "varchar"),
        ("integer[]", "bigint[]"),
    ],
)
def test_what_could_lose_one_is_not_wider(selected, declared):
    assert not widens(selected, declared)
