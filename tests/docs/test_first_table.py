"""The tutorial, as a newcomer types it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docs.page import Block, blocks_of, not_shown, run_page

DOCS = Path(__file__).parents[2] / "docs"


def test_every_command_of_the_tutorial_works_and_shows_what_it_says():
    # Not in pytest's own folder, which is closed to the user that PostgreSQL runs as where we are root.
    with TemporaryDirectory(prefix="dayslice-tutorial-", ignore_cleanup_errors=True) as folder:
        ran = run_page(DOCS / "first-table.md", Path(folder))
        assert len(ran) == len(blocks_of(DOCS / "first-table.md")) >= 8
        assert [line for block, output in ran for line in not_shown(block, output)] == []
        site_says_it_in_words(Path(folder) / "my_warehouse" / "target")


def site_says_it_in_words(target):
    manifest = json.loads((target / "site" / "manifest.json").read_text())
    [first] = [doc for doc in manifest["docs"].values() if doc["name"] == "__overview__"]
    assert "[regions](#!/model/model.my_warehouse.regions) | What each region bought" in first["block_contents"]
    assert "| 2024-01-07 | 24 |" in first["block_contents"]
    assert "How to read it" in first["block_contents"]
    regions = manifest["nodes"]["model.my_warehouse.regions"]
    assert regions["meta"] == {
        "grain": "one slice a day, which holds only what happened in its ds",
        "schedule": "every day at 00:30 (UTC)",
        "owner": "nobody is named",
        "waits for": "the slice of the same ds of daily_sales",
    }
    assert "**waits for**: the slice of the same ds of daily_sales" in regions["description"]
    orders = manifest["sources"]["source.my_warehouse.shop.orders"]
    assert orders["meta"]["imported from"] == "public.orders of connection shop"
    assert orders["columns"]["country"]["description"] == "Where it is sent, as two letters."
    latest = manifest["nodes"]["model.my_warehouse.daily_sales_latest"]
    assert latest["meta"] == {"newest slice of": "daily_sales"}
    # dbt's own files stay as other programs expect them, and nothing of a macro's is shown.
    kept = json.loads((target / "manifest.json").read_text())["nodes"]["model.my_warehouse.regions"]
    assert kept["meta"]["slice"] == "events"
    assert '"wait ' not in (target / "site" / "manifest.json").read_text()
    whole = (target / "static_index.html").read_text()
    assert "INLINE DATA" not in whole
    assert "How to read it" in whole
    assert "[The calendar](calendar.html)" in whole
    assert (target / "calendar.html").read_text() == (target / "site" / "calendar.html").read_text()


def test_a_command_that_fails_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\necho fine\n```\n```text\nfine\n```\n```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md"):
        run_page(page, tmp_path)


def test_a_line_that_did_not_come_is_noticed():
    assert not_shown(Block("", ("a  1", "b 2")), " a 1 \n") == ["b 2"]
