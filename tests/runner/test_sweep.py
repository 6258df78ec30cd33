"""Which files `dayslice retain` deletes: only what has been unknown for long, and never most of a table."""

from datetime import UTC, datetime, timedelta

import pytest

from dayslice.errors import Refused
from dayslice.rules.slices import new_version_id
from dayslice.runner.sweep import RETIRED, UNKNOWN, mark, sweep_files
from dayslice.store.directory import Directory

FOLDER = "analytics/t"


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "24")
    return Directory(str(tmp_path))


def lay(store, days_ago):
    """A version with a file, begun so long ago."""
    version = new_version_id(datetime.now(UTC) - timedelta(days=days_ago))
    file = store.create(f"{FOLDER}/{version}/ds=2013-01-01/file")
    file.write(b"rows")
    file.close()
    return version


def sweep(store, known, **options):
    return [each.rpartition("/")[2] for each in sweep_files(store, FOLDER, set(known), dry_run=False, **options)]


def versions(store):
    return [name for name in store.folders(FOLDER) if name.startswith("v")]


def test_what_is_unknown_goes_a_grace_time_after_it_was_first_seen_so(store, monkeypatch):
    known, old = lay(store, 9), lay(store, 9)
    assert sweep(store, [known]) == [], "it is old, and was known until now for all that is known"
    assert sweep(store, [known]) == []
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    assert sweep(store, [known]) == [old]
    assert versions(store) == [known]
    assert store.folders(f"{FOLDER}/{UNKNOWN}") == []


def test_what_is_known_again_is_forgotten_to_have_been_unknown(store, monkeypatch):
    known, lost = lay(store, 9), lay(store, 9)
    sweep(store, [known])
    sweep(store, [known, lost])
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    assert sweep(store, [known]) == [], "seen unknown only now"
    assert versions(store) == sorted([known, lost])


def test_a_metastore_that_knows_nothing_of_a_table_deletes_nothing_of_it(store, monkeypatch):
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    laid = [lay(store, 9) for _ in range(2)]
    for _ in range(3):
        with pytest.raises(Refused, match=r"analytics\.t: 2 versions in .*wrong one.*--allow-loss"):
            sweep(store, [])
    assert versions(store) == sorted(laid)
    assert sweep(store, [], allow_loss=True) == []
    assert sorted(sweep(store, [], allow_loss=True)) == sorted(laid)


def test_a_restored_metastore_that_knows_less_than_half_deletes_nothing(store, monkeypatch):
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    laid = [lay(store, 9) for _ in range(12)]
    for _ in range(2):
        with pytest.raises(Refused, match="5 others are known"):
            sweep(store, laid[:5])
    assert versions(store) == sorted(laid)


def test_retired_versions_are_no_loss_however_many(store, monkeypatch):
    laid = [lay(store, 9) for _ in range(12)]
    for version in laid[1:]:
        mark(store, FOLDER, RETIRED, version, "surplus")
    assert sweep(store, laid[:1]) == []
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    assert sorted(sweep(store, laid[:1])) == sorted(laid[1:])


def test_what_has_another_name_than_a_version_is_not_ours(store, monkeypatch):
    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    known = lay(store, 1)
    file = store.create(f"{FOLDER}/notes/file")
    file.close()
    for _ in range(2):
        assert sweep(store, [known]) == []
    assert "notes" in store.folders(FOLDER)
