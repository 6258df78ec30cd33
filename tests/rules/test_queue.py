"""What can be made side by side: nothing before what it reads, and nothing waits for what it does not need."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dayslice.rules.calendar import shift, window
from dayslice.rules.plan import make_plan
from dayslice.rules.queue import ReadyQueue
from dayslice.rules.waits import Wait, reads
from tests.rules.test_plan import table

DAYS = window("2013-01-04", 4)


def reading(name, *waits, **settings):
    found = table(name, **settings)
    own = [Wait(f"model.p.{name}", -1)] if "itself" in waits else []
    others = [wait if isinstance(wait, Wait) else Wait(f"model.p.{wait}") for wait in waits if wait != "itself"]
    return replace(found, waits=(*others, *own))


def queue_of(*nodes, **options):
    plan = make_plan(nodes, DAYS[0], DAYS[-1], {}, every=(tables := {node.unique_id: node for node in nodes}))
    return ReadyQueue(plan, tables, **options)


def names(step):
    return step and (step.ds, [node.name for node in (*step.imports, *step.models)])


def end(queue, step, is_there=True):
    lost = []
    for node in (*step.imports, *step.models):
        lost += queue.told((node.unique_id, step.ds), is_there)
    return lost


def test_days_that_need_nothing_of_each_other_are_made_side_by_side():
    queue = queue_of(reading("orders"), reading("flat", "orders"))
    steps = [queue.take(2) for _ in range(4)]
    assert list(map(names, steps)) == [(ds, ["orders", "flat"]) for ds in DAYS]
    assert queue.take(2) is None
    assert not queue.is_done
    for step in steps:
        end(queue, step)
    assert queue.is_done


def test_a_table_s_own_slices_come_one_after_another_and_hold_up_nothing_else():
    queue = queue_of(reading("orders"), reading("total", "orders", "itself"))
    first, second = queue.take(2), queue.take(2)
    assert (names(first), names(second)) == ((DAYS[0], ["orders", "total"]), (DAYS[1], ["orders"]))
    end(queue, second)
    assert names(queue.take(2)) == (DAYS[2], ["orders"])
    end(queue, first)
    assert names(queue.take(2)) == (DAYS[1], ["total"])


def test_what_failed_gives_up_what_needs_it_and_nothing_else():
    queue = queue_of(reading("orders"), reading("total", "orders", "itself"), reading("other"))
    step = queue.take()
    assert names(step) == (DAYS[0], ["orders", "total", "other"])
    assert queue.told(("model.p.other", DAYS[0]), True) == []
    assert queue.told(("model.p.orders", DAYS[0]), False) == []  # its reader is being made, and is told of
    lost = queue.told(("model.p.total", DAYS[0]), False)
    assert lost == [("model.p.total", ds) for ds in DAYS[1:]]
    made = []
    while step := queue.take():
        made.append(names(step))
        end(queue, step)
    assert made == [(ds, ["orders", "other"]) for ds in DAYS[1:]]
    assert queue.is_done


def test_the_tables_of_one_day_are_shared_out_where_there_is_no_other_day():
    nodes = [reading(f"t{n}") for n in range(4)]
    plan = make_plan(nodes, DAYS[0], DAYS[0], {}, every=(tables := {node.unique_id: node for node in nodes}))
    queue = ReadyQueue(plan, tables)
    assert [names(queue.take(2))[1], names(queue.take(1))[1]] == [["t0", "t1"], ["t2", "t3"]]


def test_the_newest_comes_first_where_it_can():
    queue = queue_of(reading("orders"), reading("total", "orders", "itself"), newest_first=True)
    assert names(queue.take()) == (DAYS[3], ["orders"])


def test_what_may_read_each_other_goes_one_ds_after_another():
    asof = Wait("model.p.rates", asof="2013-12-31")
    queue = queue_of(reading("orders", asof), reading("rates", "orders"))
    made = []
    while step := queue.take(2):
        assert queue.take(1) is None
        made.append(step.ds)
        end(queue, step)
    assert made == DAYS
    assert queue.is_done


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-2, 0), st.integers(1, 3), st.sampled_from((None, "ds"))), max_size=6
    ),
    st.data(),
)
def test_nothing_is_given_out_before_what_it_reads(edges, data):
    nodes = []
    for number in range(5):
        waits = [Wait(f"model.p.t{up}", offset, periods, asof) for up, offset, periods, asof in edges if up < number]
        nodes.append(reading(f"t{number}", *waits, *(["itself"] if data.draw(st.booleans()) else [])))
    tables = {node.unique_id: node for node in nodes}
    queue = queue_of(*nodes, newest_first=data.draw(st.booleans()))
    out, made = [], set()
    while not queue.is_done:
        if data.draw(st.booleans()) or not out:
            step = queue.take(data.draw(st.integers(1, 3)))
            if step is None:
                assert out, "something can always be made, or is being made"
            else:
                together = {(node.unique_id, step.ds) for node in step.models}
                for unique_id, ds in together:
                    for wait in tables[unique_id].waits:
                        kind, grain = tables[wait.upstream].settings.kind, tables[wait.upstream].settings.grain
                        days = reads(ds, grain, kind, wait.offset, wait.periods)
                        if wait.asof:
                            days = [each for each in DAYS if each <= shift(ds, wait.offset)]
                        read = {(wait.upstream, each) for each in days}
                        assert {key for key in read if key[1] in DAYS} - {(unique_id, ds)} <= made | together
                out.append(step)
        elif out:
            step = out.pop(data.draw(st.integers(0, len(out) - 1)))
            made |= {(node.unique_id, step.ds) for node in step.models}
            assert end(queue, step) == []
    assert len(made) == 5 * len(DAYS)


def test_a_day_that_fails_does_not_hold_up_a_history_or_what_is_read_as_of_a_date():
    own = Wait("model.p.history", -1, 1, "ds", "model.p.orders")
    queue = queue_of(
        reading("orders"), reading("history", "orders", own), reading("rated", Wait("model.p.orders", asof="ds"))
    )
    tried, made = [], []
    while step := queue.take():
        for node in (*step.imports, *step.models):
            tried.append((node.name, step.ds))
            fails = node.name != "rated" and step.ds == DAYS[1]
            queue.told((node.unique_id, step.ds), not fails)
            made += [] if fails else [(node.name, step.ds)]
    assert [ds for name, ds in made if name == "history"] == [DAYS[0], *DAYS[2:]]
    assert [ds for name, ds in made if name == "rated"] == DAYS
    assert queue.is_done


def test_what_is_read_as_of_a_date_does_not_grow_with_the_square_of_the_days():
    rated = reading("rated", Wait("model.p.rates", asof="ds"))
    queue = queue_of(reading("rates"), rated)
    assert {key: found for key, found in queue.dated.items() if found} == {
        (rated.unique_id, ds): [("model.p.rates", number)] for number, ds in enumerate(DAYS, start=1)
    }
    assert not any(queue.needs.values())
