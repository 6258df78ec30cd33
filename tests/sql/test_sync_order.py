"""What the metastore says is there is on the disk before it says so: files, and the folders that lead to them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dayslice.metastore.sqlite import SQLiteMetastore
from tests.sql.project_files import on_orders

MODELS = {
    "daily": "select id from {{ slice('erp', 'orders') }}",
    "all_days": "{{ config(materialized='table') }} select id from {{ ref('daily') }}",
}
FILES = {**on_orders(MODELS), "seeds/names.csv": "id,name\n1,one\n"}
DS = "2013-01-05"
TRACE = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o"]


@pytest.fixture(scope="module")
def project(make_project):
    made = make_project(FILES)
    made.land("orders", DS, "select 1", "id int")
    return made


def needed(version, home):
    """The paths that must be on the disk for a version to be found after a power cut."""
    files = list(Path(version.location).iterdir())
    assert files
    folders = [each for each in files[0].parents if each.is_relative_to(home / "landing")]
    return {str(each) for each in (*files, *folders, home)}


def test_every_publication_comes_after_the_syncs_of_its_files(project, monkeypatch):
    synced, publications = [], []
    fsync, keep = os.fsync, SQLiteMetastore._keep

    def record_sync(handle):
        fsync(handle)
        synced.append(str(Path(f"/proc/self/fd/{handle if isinstance(handle, int) else handle.fileno()}").readlink()))

    def record_publication(self, version, number):
        publications.append((version, set(synced)))
        return keep(self, version, number)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(SQLiteMetastore, "_keep", record_publication)
    built = project.build(DS)
    assert {each.status for each in built.values()} == {"success"}, built
    assert {version.slice.table.name for version, _ in publications} == {"daily", "all_days", "names"}
    for version, before in publications:
        assert needed(version, project.home) <= before, version.slice


def test_the_system_sees_the_same_order(project):
    """The metastore's own writes too: its log is synced after the files, in the process that wrote them."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = project.root / "strace.log"
    dayslice = str(Path(sys.executable).with_name("dayslice"))
    done = subprocess.run(
        [*TRACE, log, dayslice, "build", "--ds", DS, "--select", "daily"],
        cwd=project.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip(f"strace may not look at a process here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    calls = re.findall(r"(?:fsync|fdatasync)\(\d+<([^>]+)>", log.read_text())
    version = project.published("daily")[DS]
    first = {path: calls.index(path) for path in needed(version, project.home)}
    commits = [at for at, path in enumerate(calls) if path.endswith("metastore.sqlite-wal")]
    assert commits
    assert max(first.values()) < commits[-1]
