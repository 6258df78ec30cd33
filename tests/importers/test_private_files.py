"""Files with data are their user's, or its group's where that is asked for; a project's own text is not."""

import os
import stat

import pytest

from dayslice.errors import UsageError
from dayslice.runner import imports


@pytest.mark.parametrize(("wanted", "others"), [(None, 0o077), ("group", 0o027), ("all", 0o022)])
def test_nobody_else_reads_what_an_import_writes(database, warehouse, monkeypatch, wanted, others):
    if wanted:
        monkeypatch.setenv("DAYSLICE_FILES_FOR", wanted)
    database.execute("create table t as select 1 as id")
    before = os.umask(0o002)
    try:
        [result] = imports.import_tables(warehouse.project, [warehouse.node("t")], "2013-01-05", as_of_now=True)
        assert result.error is None
        assert os.umask(0o002) == 0o002, "the process is as it was"
    finally:
        os.umask(before)
    made = [path for path in warehouse.home.rglob("*") if "erp" in path.parts or path.name == "dayslice.duckdb"]
    assert made
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & others == 0, path


def test_another_word_is_refused(database, warehouse, monkeypatch):
    monkeypatch.setenv("DAYSLICE_FILES_FOR", "friends")
    with pytest.raises(UsageError, match="DAYSLICE_FILES_FOR: 'friends' is not known: write user, group, all"):
        imports.import_tables(warehouse.project, [], "2013-01-05")
