import datetime

import pytest

from dayslice.errors import UsageError
from dayslice.rules.arguments import (
    AsofArguments,
    HistoryArguments,
    SliceArguments,
    all_slices_arguments,
    asof_arguments,
    ds_periods,
    history_arguments,
    slice_arguments,
)


def test_a_slice_is_named_in_each_of_its_ways():
    def read(table, second=None, offset=None, periods=1, is_this=False):
        return slice_arguments("m.sql", is_this, table, second, offset, periods)

    assert read("t") == SliceArguments(None, "t")
    assert read("t", -1) == SliceArguments(None, "t", -1)
    assert read("erp", "t", -2) == SliceArguments("erp", "t", -2)
    assert read("t", periods=7) == SliceArguments(None, "t", 0, 7)
    assert read(object(), -1, is_this=True) == SliceArguments(None, None, -1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"table": None, "second": -1}, "names is no text: write it in quotes"),
        ({"table": 3}, "names is no text"),
        ({"table": "t", "second": -1.5}, "offset is -1.5, not a whole number"),
        ({"table": "t", "second": True}, "offset is True, not a whole number"),
        ({"table": "t", "second": -1, "offset": -2}, "two offsets"),
        ({"table": "t", "offset": "-1"}, "offset is '-1'"),
        ({"table": "t", "periods": 0}, "a range is at least 1"),
        ({"table": "t", "periods": -7}, "a range is at least 1"),
        ({"table": "t", "periods": "3"}, "range is '3', not a whole number"),
        ({"table": object(), "is_this": True}, "write slice(this, -1)"),
        ({"table": object(), "is_this": True, "second": 1}, "write slice(this, -1)"),
        ({"table": object(), "is_this": True, "second": "t"}, "the first of two names is a source"),
    ],
)
def test_what_a_slice_cannot_be_is_refused_with_the_file_and_what_to_write(given, said):
    arguments = {"is_this": False, "second": None, "offset": None, "periods": 1, **given}
    with pytest.raises(UsageError) as refused:
        slice_arguments(where="models/m.sql", **arguments)
    assert str(refused.value).startswith("models/m.sql: ")
    assert said in str(refused.value)


def test_all_slices_says_what_it_waits_for():
    assert all_slices_arguments("m.sql", False, "t", None, 0) == SliceArguments(None, "t", 0, 1)
    assert all_slices_arguments("m.sql", False, "erp", "t", -1) == SliceArguments("erp", "t", -1, 1)
    assert all_slices_arguments("m.sql", False, "t", None, None) == SliceArguments(None, "t", 0, 0)
    for wrong in ({"wait": "x"}, {"table": None}, {"is_this": True}):
        with pytest.raises(UsageError, match=r"m[.]sql: "):
            all_slices_arguments(
                **{"where": "m.sql", "is_this": False, "table": "t", "second": None, "wait": 0, **wrong}
            )


@pytest.mark.parametrize("given", ["-1", 1.5, None, True])
def test_ds_takes_whole_periods(given):
    with pytest.raises(UsageError, match="not a whole number"):
        ds_periods("m.sql", given)


def test_a_date_is_a_ds_or_the_runs_ds():
    def read(table, second=None, date=None):
        return asof_arguments("m.sql", False, table, second, date)

    assert read("t", "2018-03-01") == AsofArguments(None, "t", "2018-03-01")
    assert read("t", "$ds") == AsofArguments(None, "t", "ds")
    assert read("erp", "t", "$ds-7") == AsofArguments("erp", "t", "ds", -7)
    assert read("t", date="2018-03-01T05") == AsofArguments(None, "t", "2018-03-01T05")
    assert read("t", datetime.date(2018, 3, 1)) == AsofArguments(None, "t", "2018-03-01")


@pytest.mark.parametrize("date", [None, "", "2018-02-30", "$ds-31-7", "yesterday", 7, "$d"])
def test_what_is_no_date_is_refused_with_what_to_write(date):
    with pytest.raises(UsageError, match=r"^m.sql: asof\('t', .*write asof\('t', ds\(\)\)"):
        asof_arguments("m.sql", False, "t", date, None)


def test_a_table_of_its_own_is_not_read_as_of_a_date():
    with pytest.raises(UsageError, match=r"slice\(this, -1\)"):
        asof_arguments("m.sql", True, object(), "$ds-1", None)


def test_a_history_has_a_key():
    assert history_arguments("m.sql", "t", None, "ID", ()) == HistoryArguments(None, "t", ("id",), ())
    assert history_arguments("m.sql", "erp", "t", ["a", "b"], "c") == HistoryArguments("erp", "t", ("a", "b"), ("c",))
    for wrong in (
        {"key": None},
        {"key": []},
        {"key": 3},
        {"key": [None]},
        {"without": ["k"]},
        {"without": 3},
        {"table": 1},
    ):
        with pytest.raises(UsageError, match=r"^m[.]sql: "):
            history_arguments(**{"where": "m.sql", "table": "t", "second": None, "key": "k", "without": (), **wrong})
