"""What a table's page on the docs site says of its rhythm and its waits."""

from dataclasses import replace
from datetime import UTC

import pytest

from dayslice.rules.waits import Wait
from dayslice.rules.words import schedule_words, table_words, wait_words
from tests.rules.test_plan import table

NAMES = {"model.shop.sales": "sales"}.get


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (Wait("model.shop.sales"), "the slice of the same ds of sales"),
        (Wait("model.shop.sales", -1), "the slice before of sales"),
        (Wait("model.shop.sales", -7), "the slice 7 before its ds of sales"),
        (Wait("model.shop.sales", 0, 7), "the last 7 slices of sales"),
        (Wait("model.shop.sales", -1, 7), "the last 7 slices of sales, up to the one before its ds"),
        (Wait("model.shop.own", -1), "the slice before of its own"),
        (Wait("model.shop.sales", asof="ds"), "the newest slice of sales, at or before its ds"),
        (Wait("model.shop.sales", -7, asof="ds"), "the newest slice of sales, at or before the ds 7 before its own"),
        (Wait("model.shop.sales", asof="2018-01-01"), "the newest slice of sales, at or before 2018-01-01"),
        (Wait("model.shop.own", -1, 1, "ds", "model.shop.sales"), "the newest slice of its own, before its ds"),
    ],
)
def test_a_wait_is_told_in_words(wait, words):
    assert wait_words(wait, "model.shop.own", NAMES) == words


def test_waits_for_the_same_ds_are_told_as_one():
    waits = (Wait("model.a"), Wait("model.b", -1), Wait("model.c"), Wait("model.d"))
    words = table_words(replace(table("flat"), waits=waits), lambda each: each[-1], UTC)
    assert words["waits for"] == "the slice of the same ds of a, c and d; the slice before of b"
    assert table_words(table("flat"), str, UTC)["waits for"] == "nothing"


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 0 * * *", "every day at 00:30 (UTC)"),
        ("5 * * * *", "every hour, 5 minutes past (UTC)"),
        ("2-59/15 * * * *", "2-59/15 * * * * (cron, UTC)"),
    ],
)
def test_a_schedule_is_told_in_words_where_it_is_simple(cron, words):
    assert schedule_words(cron, "UTC") == words
