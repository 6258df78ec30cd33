"""Names that Trino's metastore cannot hold are refused before anything is computed."""

import pytest

from dayslice.errors import UsageError
from dayslice.rules.hive_names import check_names


def test_names_that_are_held_pass():
    check_names("m.yml: t", "analytics", "t" * 128, ["a", "with space", "grün", 'quo"te'])


@pytest.mark.parametrize(
    ("schema", "table", "columns", "said"),
    [
        ("analytics", "wörter", [], "table name 'wörter'"),
        ("analytics", "a,b", [], "table name 'a,b'"),
        ("analytics", "t" * 129, [], "has 129 letters"),
        ("my-schema", "t", [], "schema name 'my-schema'"),
        ("analytics", "t", ["a,b"], "column name 'a,b'"),
        ("analytics", "t", ["ends "], "column name 'ends '"),
    ],
)
def test_names_that_no_metastore_holds_are_named(schema, table, columns, said):
    with pytest.raises(UsageError, match=said) as refused:
        check_names("m.yml: t", schema, table, columns)
    assert str(refused.value).startswith("m.yml: t: ")
