"""The tutorial, as a newcomer types it."""

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
        assert (Path(folder) / "my_warehouse" / "target" / "static_index.html").exists()


def test_a_command_that_fails_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\necho fine\n```\n```text\nfine\n```\n```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md"):
        run_page(page, tmp_path)


def test_a_line_that_did_not_come_is_noticed():
    assert not_shown(Block("", ("a  1", "b 2")), " a 1 \n") == ["b 2"]
