"""Events: rows of no day are counted, and a source that has nothing yet is no empty slice."""

import pytest

from dayslice.errors import Refused, Transient, UsageError
from tests.importers.warehouse import DS

EVENTS = {"slice": "events", "on": "day"}
ROWS = (
    "create table t (id int, day {}); insert into t values (1, '2013-01-05'), (2, '2013-01-06'), (3, null), "
    "(4, 'infinity'), (5, '-infinity'), (6, null)"
)


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_rows_of_no_day_are_counted_in_the_receipt_and_said(database, warehouse, kind):
    database.execute(ROWS.format(kind))
    result = warehouse.run(warehouse.node("t", **EVENTS))["t"]
    assert (result.version.receipt.rows, result.version.receipt.more["undated"]) == (1, "4")
    assert "4 rows of public.t have no day, or an infinite one: they are in no slice" in result.hint
    result = warehouse.run(warehouse.node("t", row_filter="id < 3", **EVENTS))["t"]
    assert (result.version.receipt.more["undated"], result.hint) == ("0", "")


def test_they_are_refused_or_sent_to_a_ds_where_that_is_asked_for(database, warehouse):
    database.execute(ROWS.format("timestamp"))
    error = warehouse.run(warehouse.node("t", undated="refuse", **EVENTS))["t"].error
    assert isinstance(error, Refused)
    assert "4 rows of public.t have no day" in str(error)
    assert warehouse.landed() == []
    result = warehouse.run(warehouse.node("t", undated="1970-01-01", **EVENTS))["t"]
    assert "they are in 1970-01-01" in result.hint
    assert warehouse.land("t", ds="1970-01-01", undated="1970-01-01", **EVENTS).receipt.rows == 4
    found = warehouse.query("select ds, list(id order by id) from erp.t group by ds order by ds")
    assert found == [("1970-01-01", [3, 4, 5, 6]), (DS, [1])]
    for wrong in ("never", "2013", "2013-01-05T01"):
        error = warehouse.run(warehouse.node("t", undated=wrong, **EVENTS))["t"].error
        assert isinstance(error, UsageError)
        assert "undated: " in str(error)


def test_a_source_that_has_nothing_yet_is_no_empty_slice(database, warehouse):
    database.execute("create table t (id int, day timestamptz); insert into t values (1, '2013-01-04 23:59+00')")
    error = warehouse.run(warehouse.node("t", **EVENTS))["t"].error
    assert isinstance(error, Transient), "later it may be there"
    assert "--allow-empty" in str(error)
    assert warehouse.landed() == []
    assert warehouse.run(warehouse.node("t", **EVENTS), allow_empty=True)["t"].version.receipt.rows == 0
    assert warehouse.land("t", empty="publish", **EVENTS).receipt.rows == 0
    # A later row says that the day was empty; an infinite one says nothing, nor one that the filter leaves out.
    database.execute("insert into t values (2, 'infinity'), (3, '2013-01-06 00:00+00')")
    assert isinstance(warehouse.run(warehouse.node("t", row_filter="id <> 3", **EVENTS))["t"].error, Transient)
    assert warehouse.land("t", **EVENTS).receipt.rows == 0


def test_a_cumulative_slice_of_the_past_says_what_can_be_done(database, warehouse):
    database.execute("create table t as select 1 as id")
    error = warehouse.run(warehouse.node("t"), as_of_now=False)["t"].error
    for way in ("--as-of-now", "slice: events", "start: in models/erp.yml"):
        assert way in str(error)
