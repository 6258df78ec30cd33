"""A full disk: the table that met it says so in one line, its old slice stands, and all other tables are done.

The home is a small file system in memory, so this needs the right to mount one.
"""

import re
import subprocess

import pytest

from dayslice.errors import DaysliceError
from tests.local_files import metastore_of

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: a_large, config: {meta: {slice: events}}}
  - {name: b_small, config: {meta: {slice: events}}}
  - {name: c_after, config: {meta: {slice: events}}}
"""
FILES = {
    "models/models.yml": YAML,
    # Texts that nothing compresses.
    "models/a_large.sql": "select md5(n::varchar) as text from (select unnest(range(case when id > 1 then 3000000 "
    "else 10 end)) as n from {{ slice('erp', 'orders') }})",
    "models/b_small.sql": "select id from {{ slice('erp', 'orders') }}",
    "models/c_after.sql": "select id from {{ slice('b_small') }}",
}
DAYS = ["2013-01-05", "2013-01-06"]


@pytest.fixture(scope="module")
def project(make_project):
    made = make_project(FILES)
    made.home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", made.home], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a file system of 24 MB cannot be mounted here: {mounted.stderr.strip()}")
    try:
        made.land("orders", DAYS[0], "select 1", "id int")
        made.land("orders", DAYS[1], "select 1", "id int")
        for ds in DAYS:
            built = made.build(ds)
            assert {each.status for each in built.values()} == {"success"}, built
        yield made
    finally:
        subprocess.run(["umount", "--lazy", made.home], check=True)


def full(result):
    """That it failed for want of room, and says so."""
    assert result.status == "error"
    assert "No space left" in result.message or "disk is full" in result.message, result.message
    return True


def test_a_slice_that_does_not_fit_leaves_room_for_the_others(project):
    before = project.published("a_large")
    project.land("orders", DAYS[1], "select 2", "id int")
    built = project.build(DAYS[1], options=["--threads", "1"])
    assert full(built["a_large"])
    assert (built["b_small"].status, built["c_after"].status) == ("success", "success")
    assert project.published("a_large") == before
    assert project.query(f"select count(*) from analytics.a_large where ds = '{DAYS[1]}'") == [(10,)]
    lying = [each.name for each in (project.home / "landing/analytics/a_large").iterdir()]
    assert sorted(lying) == sorted(version.id for version in before.values()), "what did not fit is gone"
    assert project.staged() == []


def test_a_metastore_that_cannot_grow_keeps_what_it_says(project):
    project.land("orders", DAYS[1], "select 1", "id int")
    before = project.published("b_small")
    filler = project.home / "filler"
    try:
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(4096))
        assert full(project.build(DAYS[1], "b_small")["b_small"])
        with metastore_of(project.home) as metastore, pytest.raises(DaysliceError) as failure:
            metastore.publish(before[DAYS[1]])
        assert re.fullmatch(r"[^\n]*metastore.sqlite.*the disk is full[^\n]*", str(failure.value))
        assert project.published("b_small") == before, "who only looks needs no room"
    finally:
        filler.unlink()
    assert project.published("b_small") == before
    assert project.build(DAYS[1], "b_small")["b_small"].status == "success"
    assert project.published("b_small")[DAYS[1]].id != before[DAYS[1]].id
    assert project.staged() == []
