"""The SQL of a comparison says what differs, whatever the columns are called."""

import duckdb
import pytest

from dayslice.rules.diff_queries import multisets


@pytest.mark.parametrize("names", [("n", "side"), ("side", "c0"), ("c1", "c0"), ("a", "both_sides")])
def test_rows_without_a_key_are_counted_whatever_their_columns_are_called(names):
    def relation(rows):
        return f"(select * from (values {rows}) as t({', '.join(names)}))"

    before, after = relation("(1, 10), (1, 10), (2, 20)"), relation("(1, 10), (3, 30), (3, 30), (3, 30)")
    assert duckdb.sql(multisets(before, after, names)).fetchall() == [(2, 3)]
