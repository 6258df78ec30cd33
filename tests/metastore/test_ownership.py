"""Whose a warehouse is, where several begin to write there at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dayslice.errors import UsageError
from dayslice.metastore import ownership
from dayslice.metastore.sqlite import SQLiteMetastore

WRITERS = 8


def checked_at_once(files, warehouse, monkeypatch):
    """What becomes of those who look and find no mark, all of them before one has written it."""
    monkeypatch.setattr(ownership, "_checked", set())
    barrier, read, first = threading.Barrier(len(files)), ownership._read, threading.local()

    def looked(place):
        found = read(place)
        if not getattr(first, "over", False):
            first.over = True
            barrier.wait(20)
        return found

    monkeypatch.setattr(ownership, "_read", looked)

    def check(file):
        with SQLiteMetastore(file) as metastore:
            try:
                ownership.check_owner(metastore, warehouse)
            except UsageError as error:
                return str(error)
            return metastore.owner()

    with ThreadPoolExecutor(len(files)) as threads:
        return list(threads.map(check, files))


def test_of_one_home_all_go_on(tmp_path, monkeypatch):
    file = tmp_path / "metastore.sqlite"
    found = checked_at_once([file] * WRITERS, str(tmp_path / "warehouse"), monkeypatch)
    assert len(set(found)) == 1
    assert (tmp_path / "warehouse" / ownership.MARK).read_text() == found[0]


def test_of_two_homes_one_has_it_and_the_other_is_refused(tmp_path, monkeypatch):
    files = [tmp_path / "a.sqlite", tmp_path / "b.sqlite"]
    found = checked_at_once(files, str(tmp_path / "warehouse"), monkeypatch)
    mark = (tmp_path / "warehouse" / ownership.MARK).read_text()
    [refused] = [each for each in found if each != mark]
    assert "belongs to another home" in refused
    assert mark in refused


@pytest.mark.parametrize("left", [b"", b"\n"])
def test_a_mark_that_was_never_written_whole_is_no_owner(tmp_path, monkeypatch, left):
    monkeypatch.setattr(ownership, "_checked", set())
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    (warehouse / ownership.MARK).write_bytes(left)
    with SQLiteMetastore(tmp_path / "metastore.sqlite") as metastore:
        ownership.check_owner(metastore, str(warehouse))
        assert (warehouse / ownership.MARK).read_text() == metastore.owner()
