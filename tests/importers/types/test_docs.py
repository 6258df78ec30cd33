"""docs/types.md says of each type what the code does."""

import re
from pathlib import Path

import pytest
from dayslice_importers.names import engine_names
from dayslice_importers.types.mapping import TYPES

DOCS = (Path(__file__).parents[3] / "docs" / "types.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCS.splitlines() if line.startswith("| `")]
SAID = {name: row[1:] for row in ROWS if len(row) == 4 for name in re.findall(r"`([a-z0-9_]+)`", row[0])}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_in_the_docs_as_the_code_carries_it(name):
    duckdb, trino, how = SAID[name]
    carried = TYPES[name]
    assert (duckdb, trino) == (f"`{carried.duckdb}`", f"`{carried.trino}`")
    assert how.startswith(("exact", "text"))


def test_the_docs_name_no_type_that_the_code_has_not():
    assert SAID.keys() - {"numeric"} <= TYPES.keys()


def test_the_examples_of_names_are_the_rules():
    shown = [(row[0].strip("`"), row[1].strip("`")) for row in ROWS if len(row) == 2 and "beside" not in row[0]]
    found = engine_names([source for source, _ in shown])
    assert len(shown) == 5
    assert list(found.items()) == shown
    assert engine_names(["a", "A"]) == {"a": "a", "A": "a_559aea"}
