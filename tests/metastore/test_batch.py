"""What a run that publishes together leaves when it is killed: the next one of its target clears it, and no other's."""

import multiprocessing
import os
from pathlib import Path

import pytest

from dayslice.engines.target import Target
from dayslice.metastore.batch import begun, discard_left, folder_of
from dayslice.metastore.choice import open_metastore
from dayslice.rules.receipts import first_published, published_at
from dayslice.rules.slices import Receipt, Slice, Table, Version

ID = "v20130101000000000001_abcdef"
FINISHED = "2013-01-02T00:00:00+00:00"


@pytest.fixture
def targets(tmp_path):
    """Two of one home, each with a metastore of its own."""

    def target(name):
        folder = tmp_path / name
        folder.mkdir()
        places = {"home": tmp_path, "warehouse": str(folder), "database_file": folder / "dayslice.duckdb"}
        return Target(name=name, type="duckdb", database="d", schema="analytics", credentials=None, **places)

    return target("first"), target("second")


def publish_and_die(target):
    location = f"{target.warehouse}/analytics/t/{ID}/ds=2013-01-01"
    Path(location).mkdir(parents=True)
    receipt = Receipt(rows=1, finished=FINISHED, more={"first_published": FINISHED})
    with begun(target, "r1") as batch:
        with batch.staging(), open_metastore(target) as own:
            own.publish(Version(Slice(Table("analytics", "t"), "2013-01-01"), ID, receipt, location))
        with open_metastore(target) as truth:
            assert batch.publish(truth, batch.changes_now()) == []
        os._exit(9)


def test_what_was_published_before_the_kill_stays_whichever_target_runs_next(targets):
    first, second = targets
    process = multiprocessing.get_context("fork").Process(target=publish_and_die, args=(first,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    with begun(second, "r2"):
        pass
    discard_left(second)
    with open_metastore(first) as metastore:
        (version,) = metastore.published(Table("analytics", "t")).values()
    assert Path(version.location).is_dir()
    assert len(list(folder_of(first).glob("*.sqlite"))) == 1
    assert discard_left(first) == []
    assert Path(version.location).is_dir()
    assert list(folder_of(first).iterdir()) == []
    assert published_at(version.receipt) == first_published(version.receipt) > FINISHED
    assert version.receipt.finished == FINISHED
