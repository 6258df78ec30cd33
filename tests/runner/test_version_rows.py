"""Whether a key is one: as grouping finds out, and as a join of both sides or a bit for each number says it sooner."""

from random import Random

import duckdb
import pytest

from dayslice.rules.diff_queries import are_keys, compared, repeated_keys
from dayslice.runner.version_rows import LocalRows


@pytest.fixture
def rows():
    with duckdb.connect() as connection:
        yield LocalRows(connection)


def made(rows, name, keys, type="integer"):
    rows.connection.execute(f"create or replace table {name} (k {type}, other {type}, v integer)")
    if keys:
        rows.connection.executemany(f"insert into {name} values (?, ?, ?)", keys)
    return name


def repeats(rows, relation, key):
    return rows.rows(repeated_keys(relation, key))[0][0]


@pytest.mark.parametrize("key", [("k",), ("k", "other")])
def test_the_join_says_what_grouping_would(rows, key):
    told = set()
    for seed in range(60):
        chance = Random(seed)
        values = [*range(12), *([None] if seed % 3 == 0 else [])]

        def side(chance=chance, values=values, doubles=seed % 2):
            taken = chance.sample(values, chance.randrange(1, len(values)))
            return [(each, 1, chance.randrange(2)) for each in taken + taken[:1] * doubles * chance.randrange(2)]

        a, b = made(rows, "a", side()), made(rows, "b", side())
        removed, added, _, met, before, after, *_ = rows.rows(compared(a, b, key, {}))[0]
        counts = tuple(rows.rows(f"select count(*) from {each}")[0][0] for each in (a, b))
        is_one = repeats(rows, a, key) == repeats(rows, b, key) == 0
        assert are_keys(counts, removed, added, met, (before, after)) is is_one, seed
        told.add(is_one)
    assert told == {True, False}


@pytest.mark.parametrize("type", ["integer", "bigint", "utinyint", "varchar", "double"])
@pytest.mark.parametrize("keys", [[], [5], [3, 4, 5], [3, 4, 3], [3, None], [0, 200], [7, 7]])
def test_repeated_keys_of_every_type_are_found(rows, type, keys):
    relation = made(rows, "a", [(each, 1, 1) for each in keys], type)
    assert rows.repeated(relation, ["k"]) == repeats(rows, relation, ["k"])
