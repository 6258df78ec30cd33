"""What nodes of one command share is never given out more than once, and a node alone has all of it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dayslice.rules.at_once import at_once


def test_a_table_and_its_tests_have_all_and_ten_tables_share_by_threads():
    assert at_once({"model.t": ["source.s"], "test.a": ["model.t"]}, 4) == {"model.t": 1, "test.a": 1}
    assert at_once({"a": [], "b": ["a"], "c": ["b"]}, 4) == {"a": 1, "b": 1, "c": 1}
    assert set(at_once({str(at): [] for at in range(10)}, 4).values()) == {4}
    assert at_once({"a": [], "b": ["a"], "c": ["a"]}, 4) == {"a": 1, "b": 2, "c": 2}
    assert at_once({}, 4) == {}


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 7))
    return {str(at): draw(st.sets(st.sampled_from(range(at)) if at else st.nothing()).map(list)) for at in range(size)}


@given(graphs(), st.integers(1, 5))
def test_shares_of_any_that_run_together_are_at_most_the_whole(numbered, threads):
    parents = {node: [str(each) for each in above] for node, above in numbered.items()}

    def waits(node, other):
        return other in parents[node] or any(waits(each, other) for each in parents[node])

    found = at_once(parents, threads)
    assert set(found) == set(parents)
    for size in range(1, min(threads, len(parents)) + 1):
        for together in itertools.combinations(parents, size):
            if not any(waits(one, other) or waits(other, one) for one, other in itertools.combinations(together, 2)):
                assert sum(1 / found[node] for node in together) <= 1 + 1e-9
