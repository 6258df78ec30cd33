"""Trino's heap: what a query may use of it, and that the next start has it too."""

import re

import pytest

from dayslice.errors import UsageError
from dayslice.services.stack.machine import Stack
from dayslice.services.stack.trino import HEAP


@pytest.fixture
def started(tmp_path):
    def configured(heap=None):
        trino = Stack(tmp_path, heap=heap).trino
        (tmp_path / "trino").mkdir(exist_ok=True)
        trino.configure()
        text = (tmp_path / "trino" / "etc" / "config.properties").read_text()
        return trino.heap, int(re.search(r"query.max-memory-per-node=(\d+)MB", text)[1])

    return configured


def test_it_is_remembered_and_a_query_has_six_tenths_of_it(started):
    assert started() == (HEAP, 1843)
    assert started("8G") == ("8G", 4915)
    assert started() == ("8G", 4915)
    assert started("2048m") == ("2048m", 1228)


@pytest.mark.parametrize("heap", ["8", "much", "512M", "-3G", "3 GB"])
def test_what_is_no_heap_is_refused(tmp_path, heap):
    with pytest.raises(UsageError, match="as in 3G"):
        Stack(tmp_path, heap=heap)
