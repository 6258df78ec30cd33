"""A run that publishes together sees what it has staged over what is published, however it asks; nobody else does."""

from itertools import pairwise

import pytest

from dayslice.metastore.overlay import Overlay
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.slices import Receipt, Slice, Table, Version

TABLE, OTHER = Table("analytics", "t"), Table("analytics", "other")
DAYS = ["2013-01-01", "2013-01-02", "2013-01-03"]


def version(table, ds, number):
    id = f"v{number:020}_abcdef"
    return Version(Slice(table, ds), id, Receipt(rows=number), f"/w/{table.name}/{id}/ds={ds}")


@pytest.fixture
def catalog(tmp_path):
    with SQLiteMetastore(tmp_path / "metastore.sqlite") as opened:
        for number, ds in enumerate(DAYS[:2]):
            opened.publish(version(TABLE, ds, number))
        yield opened


@pytest.fixture
def overlay(tmp_path, catalog):
    with SQLiteMetastore(tmp_path / "empty.sqlite") as empty:
        empty.copy_to(tmp_path / "own.sqlite")
    made = Overlay(catalog, tmp_path / "own.sqlite")
    for number, (table, ds) in enumerate([(TABLE, DAYS[1]), (TABLE, DAYS[2]), (OTHER, DAYS[0])]):
        made.publish(version(table, ds, 10 + number))
    return made


def test_each_way_to_ask_gives_what_is_staged_in_the_place_of_what_is_published(overlay):
    asked = [Slice(table, ds) for table in (TABLE, OTHER) for ds in DAYS]
    ids = {Slice(TABLE, ds): version(TABLE, ds, number).id for ds, number in zip(DAYS, (0, 10, 11), strict=True)}
    ids[Slice(OTHER, DAYS[0])] = version(OTHER, DAYS[0], 12).id
    tables = [TABLE, OTHER]
    answers = [
        overlay.published_of(asked),
        {each.slice: each for t in tables for each in overlay.published(t, DAYS).values()},
        {each.slice: each for t in tables for each in overlay.published(t).values()},
        {each.slice: each for found in overlay.overview(tables, *DAYS[::2]).values() for each in found.values()},
        {slice: overlay.versions(slice)[0] for slice in asked if overlay.versions(slice)},
    ]
    assert {slice: each.id for slice, each in answers[0].items()} == ids
    for one, next in pairwise(answers):
        assert {slice: each.id for slice, each in next.items()} == {slice: each.id for slice, each in one.items()}
    assert (
        overlay.published_ds_of(tables)
        == {t: overlay.published_ds(t) for t in tables}
        == {TABLE: DAYS, OTHER: DAYS[:1]}
    )
    assert [each.id for each in overlay.versions(Slice(TABLE, DAYS[1]))][1:] == [version(TABLE, DAYS[1], 1).id]


def test_others_see_what_was_published_before(overlay, catalog):
    assert {ds: each.id for ds, each in catalog.published(TABLE).items()} == {
        ds: version(TABLE, ds, number).id for number, ds in enumerate(DAYS[:2])
    }
    assert catalog.published(OTHER) == {}
