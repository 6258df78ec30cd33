"""An erased person goes from landed CSV and the typed columns beside it, and no import brings the person back."""

import json
from pathlib import Path

import pytest
import zstandard

from dayslice.runner.erase import erase

WHO = "ann@example.org\twith a tab"
ROWS = "values (1, E'ann@example.org\\twith a tab', 7), (2, 'bob', 8), (3, null, 9)"
PERSON = {"mail": "email", "number": "customer"}


@pytest.fixture
def landed(database, warehouse, monkeypatch):
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "a secret of some length")
    database.execute(f"create table t (id, mail, number) as {ROWS}")

    def land(ds="2013-01-05", **meta):
        version = warehouse.land("t", ds=ds, person=PERSON, **meta)
        node = warehouse.node("t", person=PERSON, **meta)
        warehouse.project.tables[node.unique_id] = node
        return version

    return land


def texts(warehouse):
    """What lies in the landed files."""
    return b"".join(
        zstandard.ZstdDecompressor().stream_reader(each.read_bytes()).read()
        for each in Path(warehouse.files).rglob("*.csv.zst")
    )


@pytest.mark.parametrize("meta", [{}, {"columnar": False}])
def test_landed_rows_go_and_do_not_come_back(warehouse, landed, meta):
    first, again = landed(**meta), landed(**meta)
    receipt = erase(warehouse.project, "email", WHO, False, lambda each: None)
    assert [(each.table, each.versions, each.rows) for each in receipt.tables] == [("erp.t", 2, 2)]
    assert b"ann@example.org" not in texts(warehouse)
    assert warehouse.query("select id from erp.t order by id") == [(2,), (3,)]
    now = warehouse.published("t")["2013-01-05"]
    assert (now.sequence, now.receipt.rows, now.id in (first.id, again.id)) == (2, 2, False)
    assert json.loads(now.receipt.more["columns"]) == json.loads(again.receipt.more["columns"])
    assert len(warehouse.landed()) == 2
    landed(ds="2013-01-06", **meta)
    assert warehouse.query("select id from erp.t where ds = '2013-01-06' order by id") == [(2,), (3,)]
    assert b"ann@example.org" not in texts(warehouse)
    assert erase(warehouse.project, "email", WHO, False, lambda each: None).tables == []


def test_a_person_is_found_by_a_number_and_in_a_column_that_lands_hashed(warehouse, landed):
    landed(hashed=["mail"])
    assert [each.rows for each in erase(warehouse.project, "customer", "8", False, lambda each: None).tables] == [1]
    assert [each.rows for each in erase(warehouse.project, "email", WHO, False, lambda each: None).tables] == [1]
    assert warehouse.query("select id from erp.t") == [(3,)]
    landed(ds="2013-01-06", hashed=["mail"])
    assert warehouse.query("select id from erp.t where ds = '2013-01-06'") == [(3,)]
