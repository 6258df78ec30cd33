"""What is written is compared: names and sizes by every reader, checksums by `verify --deep`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dayslice.metastore.integrity import problems
from dayslice.rules.slices import Table
from dayslice.store.choice import open_store
from tests.local_files import land_slice


@pytest.fixture
def version(tmp_path):
    landed = land_slice(tmp_path, Table("analytics", "t"), "2013-01-01", "select range from range(999)", "id int")
    sums = json.dumps([open_store(landed.location).checksum("part-00.parquet")])
    return replace(landed, receipt=replace(landed.receipt, more={**landed.receipt.more, "checksums": sums}))


def test_a_whole_version_has_no_problem(version):
    assert list(problems(version, deep=True)) == []


@pytest.mark.parametrize(
    ("damage", "said", "deep"),
    [
        (lambda file: file.unlink(), "is not there", False),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "bytes where", False),
        (lambda file: file.with_name("more.parquet").write_bytes(b""), "is no file of it", False),
        (
            lambda file: file.write_bytes(file.read_bytes()[:-9] + b"x" + file.read_bytes()[-8:]),
            "another content",
            True,
        ),
    ],
)
def test_damage_is_found_and_named(version, damage, said, deep):
    damage(Path(version.location) / "part-00.parquet")
    (found,) = problems(version, deep=True)
    assert said in found
    assert bool(list(problems(version))) is not deep
