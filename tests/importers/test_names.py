"""Any identifier that PostgreSQL allows maps by a fixed rule, without collision."""

import re

from dayslice_importers.names import engine_names
from hypothesis import given
from hypothesis import strategies as st

# PostgreSQL takes any character but NUL, in 63 bytes.
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
IDENTIFIERS = st.text(CHARACTERS, min_size=1, max_size=63).filter(lambda name: len(name.encode()) <= 63)
UGLY = st.sampled_from(
    ["ds", "DS", "Ds", "a", "A", "a b", "a-b", "a_b", '"', "select", "é", "✈", "1a", "dayslice_padding"]
)


@given(st.lists(IDENTIFIERS | UGLY, unique=True, max_size=30))
def test_names_are_plain_distinct_and_never_dayslices_own(names):
    found = engine_names(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    for name in found.values():
        assert re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name)
        assert name not in ("ds", "dayslice_padding")


@given(st.lists(IDENTIFIERS | UGLY, unique=True, max_size=10), st.lists(IDENTIFIERS | UGLY, unique=True, max_size=10))
def test_a_name_that_was_given_once_is_kept_whatever_comes_later(first, more):
    before = engine_names(first)
    after = engine_names([*more, *(name for name in first if name not in more)], before)
    assert {name: after[name] for name in first} == before
    assert len(set(after.values())) == len(after)


@given(st.permutations(["ds", "A", "a", "B", "a b", "a-b", "é"]))
def test_the_rule_does_not_depend_on_the_order(names):
    assert engine_names(names) == {name: engine_names(sorted(names))[name] for name in names}


def test_the_rule_as_the_docs_give_it():
    found = engine_names(["order_id", "Customer", "ds", "unit price", "✈", "a", "A"])
    assert found == {
        "order_id": "order_id",
        "Customer": "customer",
        "ds": "ds_f9c7af",
        "unit price": "unit_price_ddf02b",
        "✈": "c_c81afc",
        "a": "a",
        "A": "a_559aea",
    }
