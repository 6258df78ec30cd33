"""Which models follow tables of slices, and when a run makes them."""

import pytest

from dayslice.rules.followers import Follower, followers_of
from dayslice.rules.lineage import Lineage
from dayslice.rules.plan import make_plan
from tests.rules.test_plan import table


def model(name, kind, *reads, **config):
    return {
        "unique_id": f"model.p.{name}",
        "resource_type": "snapshot" if kind == "snapshot" else "model",
        "name": name,
        "fqn": ["p", name],
        "config": {"materialized": kind, "meta": {}, **config},
        "depends_on": {"nodes": [f"model.p.{each}" for each in reads]},
    }


SLICE = {"incremental_strategy": "slice"}
NODES = [
    model("flat", "incremental", **SLICE),
    model("flat_latest", "view", "flat", meta={"dayslice_latest": "flat"}),
    model("between", "table", "flat"),
    model("reader", "incremental", "between", **SLICE),
    model("part", "ephemeral", "reader"),
    model("summary", "table", "flat_latest", "part"),
    model("shown", "view", "summary"),
    model("log", "incremental", "flat", incremental_strategy="append"),
    model("kept", "snapshot", "flat"),
    model("alone", "table"),
]
GRAPH = {"nodes": {each["unique_id"]: each for each in NODES}, "sources": {}}


@pytest.fixture(autouse=True, scope="module")
def key_of_latest():
    from dayslice.rules.settings import LATEST_KEY  # noqa: PLC0415

    NODES[1]["config"]["meta"] = {LATEST_KEY: "flat"}


def test_what_no_table_of_slices_reads_follows_and_the_rest_is_made_before():
    found = {
        each.name: (each.kind, {name.split(".")[-1] for name in each.reads}) for each in followers_of(GRAPH).values()
    }
    assert found == {
        "summary": ("table", {"flat", "reader"}),
        "shown": ("view", {"flat", "reader"}),
        "log": ("incremental", {"flat"}),
        "kept": ("snapshot", {"flat"}),
    }
    assert list(found).index("summary") < list(found).index("shown")


def test_dbt_s_words_select_them():
    lineage = Lineage.of(GRAPH)
    assert lineage == Lineage.from_json(lineage.as_json())
    assert lineage.select(["summary+"]) == {"model.p.summary", "model.p.shown"}
    assert lineage.select(["reader+"]) == {"model.p.reader", "model.p.summary", "model.p.shown"}
    assert lineage.select(["+kept"]) == {"model.p.flat", "model.p.kept"}
    assert lineage.select(["alone"]) is None, "it is dbt's to know"


def test_rows_that_are_kept_are_given_each_ds_and_the_rest_is_made_once_at_the_end():
    flat, other = table("flat"), table("other")
    summary = Follower("model.p.summary", "summary", "table", (flat.unique_id,))
    log = Follower("model.p.log", "log", "incremental", (flat.unique_id,))
    elsewhere = Follower("model.p.elsewhere", "elsewhere", "table", (other.unique_id,))
    plan = make_plan([flat], "2013-01-01", "2013-01-02", {}).followed_by([summary, log, elsewhere])
    assert [(step.ds, step.size, [each.name for each in step.followers]) for step in plan.steps] == [
        ("2013-01-01", 1, ["log"]),
        ("2013-01-02", 1, ["log"]),
        ("2013-01-02", 0, ["summary"]),
    ]
    assert (plan.size, plan.total) == (2, 5)
    nothing = make_plan([flat], "2013-01-01", "2013-01-01", {flat.table: {"2013-01-01"}})
    assert nothing.followed_by([summary, log]).steps == (), "nothing was made, so nothing follows"
    asked = make_plan([], "2013-01-01", "2013-01-01", {}).followed_by([summary, log], "2013-01-01")
    assert [each.name for each in asked.followers] == ["summary", "log"], "a person named them"
