"""What is published on Trino is what was selected: rows and files agree, and no statement is too long for Trino."""

import pytest
from dbt.adapters.dayslice_trino.agreement import check_agreement, values_in_pieces

from dayslice.errors import Refused, UsageError
from dayslice.rules.slices import Receipt, Slice, Table, Version

PLACE = Slice(Table("analytics", "t"), "2013-01-05")


def version(**receipt):
    return Version(PLACE, "v1", Receipt(**receipt), "s3://w/analytics/t/v1/ds=2013-01-05")


def test_rows_without_files_are_refused():
    with pytest.raises(Refused, match=r"6000000 rows were written, and no file lies in s3://w.*different stores"):
        check_agreement(version(rows=6_000_000), 6_000_000)
    check_agreement(version(rows=0), 0)


def test_rows_that_were_written_twice_are_refused():
    with pytest.raises(Refused, match=r"10 rows were selected and 20 lie in .*carried out twice"):
        check_agreement(version(rows=20, files=2, bytes=99), 10)
    check_agreement(version(rows=10, files=2, bytes=99), 10)
    check_agreement(version(rows=10, files=2, bytes=99), None)


def test_seeds_are_cut_by_trino_s_text_limit():
    rows = [[number, "it's " + "x" * 40_000, None] for number in range(100)]
    pieces = list(values_in_pieces(rows, ["integer", "varchar", "date"]))
    assert len(pieces) > 4
    assert all(len(piece) < 1_000_000 - 10_000 for piece in pieces)
    together = ",\n".join(pieces)
    assert together.count("(cast('") == 100
    assert "it''s xxx" in together
    assert ", null)" in together


def test_a_row_that_is_longer_than_trino_takes_is_named():
    with pytest.raises(UsageError, match="row 2 of the seed is"):
        list(values_in_pieces([["a"], ["b" * 1_000_000]], ["varchar"]))
