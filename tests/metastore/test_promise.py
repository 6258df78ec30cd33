"""The promise: no publication that was reported is ever undone by anything but a later one or a rollback.

Sequences of publications, rollbacks, deletions of old versions and removals, by two publishers at once, with kills and
lost answers at any call, against a small model of what may be published. `DAYSLICE_SEQUENCES` asks for more of them.
"""

import itertools
import os
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from dayslice.errors import Transient
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.retention import Policy
from dayslice.rules.slices import Receipt, Slice, Table, Version
from tests.metastore.faults import KILLED_AFTER, KILLED_BEFORE, LOST, LOST_LATE, ON, SWITCH, Killed, Publishers
from tests.metastore.remembered import Remembered

TABLE = Table("analytics", "t")
DAYS = ["2013-01-01", "2013-01-02"]
KEEP = 2
FATES = [ON] * 9 + [SWITCH] * 4 + [LOST, LOST_LATE, KILLED_BEFORE, KILLED_AFTER]
_numbers = itertools.count(1)


class Promise(RuleBasedStateMachine):
    """`open` gives a publisher's own metastore, on what both share."""

    open: Callable[[], Any]
    publishers: Publishers

    def __init__(self) -> None:
        super().__init__()
        # Slices of its own: nothing is published of them yet.
        self.slices = [Slice(TABLE, f"{day}T{next(_numbers):06}") for day in DAYS]
        self.possible: dict[Slice, set[str | None]] = {slice: {None} for slice in self.slices}
        # What was reported as published and has not been let go: it can be gone back to.
        self.kept: dict[Slice, list[str]] = {slice: [] for slice in self.slices}

    operations = st.sampled_from(["publish", "rollback", "retain", "unpublish"])
    # A byte a call; half of the calls do what they should.
    scripts = st.binary(max_size=30).map(lambda drawn: [FATES[each % len(FATES)] for each in drawn])

    @rule(index=st.integers(0, 1), operation=operations, script=scripts)
    def one(self, index: int, operation: str, script: list[int]) -> None:
        """One publisher."""
        self.check(self.slices[index], script, operation)

    @rule(index=st.integers(0, 1), first=operations, second=operations, script=scripts)
    def two(self, index: int, first: str, second: str, script: list[int]) -> None:
        """Two at once."""
        self.check(self.slices[index], script, first, second)

    def check(self, slice: Slice, script: list[int], *operations: str) -> None:
        """Carry out operations, and compare what is published and kept with what may be."""
        acts = [Act(self.open(), slice, operation) for operation in operations]
        results = self.publishers.run(script, *(act.perform for act in acts))
        for act, result in zip(acts, results, strict=True):
            act.ended = not isinstance(result, BaseException)
            if isinstance(result, BaseException) and not isinstance(result, Killed | Transient):
                raise result
        self.possible[slice] = _possible(self.possible[slice], acts)
        metastore = self.open()
        stands = metastore.published(TABLE, [slice.ds]).get(slice.ds)
        shown = stands.id if stands else None
        assert shown in self.possible[slice], [(act.operation, act.target, act.ended) for act in acts]
        self.possible[slice] = {shown}
        self._check_kept(slice, acts, metastore.versions(slice), shown)

    def _check_kept(self, slice: Slice, acts: list["Act"], versions: list[Version], shown: str | None) -> None:
        ids = [version.id for version in versions]
        assert len(set(ids)) == len(ids)
        assert shown is None or shown in ids
        numbers = {version.id: version.sequence for version in versions}
        assert list(numbers.values()) == sorted(numbers.values(), reverse=True)
        if {act.operation for act in acts} <= {"publish", "retain"} and shown:
            # Of two at once the one with the later turn stands, though the other one was never heard of again.
            assert numbers[shown] >= max([numbers.get(act.target, 0) for act in acts if act.ended], default=0)
        reported = [act.target for act in acts if act.ended and act.operation == "publish"]
        kept = [*self.kept[slice], *(each for each in reported if each)]
        gone = {id for act in acts for id in act.forgotten}
        if any(act.operation == "unpublish" and act.target for act in acts):
            gone |= set(kept)  # which of them depends on who was first
        assert {each for each in kept if each not in gone} <= set(ids)
        self.kept[slice] = [each for each in kept if each in ids]
        if len(acts) == 1:  # the newer of two is the one that was published later, whatever their names say
            assert [id for id in reversed(ids) if id in self.kept[slice]] == self.kept[slice]
        else:
            self.kept[slice] = [id for id in reversed(ids) if id in self.kept[slice]]


class Act:
    """One operation of one publisher; what it was about is known once it has looked."""

    def __init__(self, metastore: Any, slice: Slice, operation: str):
        self.metastore = metastore
        self.slice = slice
        self.operation = operation
        self.target: str | None = None
        self.ended = False
        self.done: bool | None = None
        self.forgotten: list[str] = []

    def perform(self) -> None:
        """Do it."""
        getattr(self, f"_{self.operation}")()

    def _publish(self) -> None:
        # Names go backwards, as those of a machine whose clock was put right.
        name = f"v{10**9 - next(_numbers):09}"
        self.target = name
        self.metastore.publish(
            Version(self.slice, name, Receipt(rows=1), f"s3://warehouse/warehouse/promise/{name}/ds={self.slice.ds}")
        )

    def _rollback(self) -> None:
        stands = self._stands()
        earlier = [each for each in self.metastore.versions(self.slice) if not stands or each.age < stands.age]
        if earlier:
            self.target = earlier[0].id
            self.metastore.publish(earlier[0])

    def _retain(self) -> None:
        for version in Policy(versions=KEEP).surplus(self.metastore.versions(self.slice), self._stands()):
            self.forgotten.append(version.id)
            self.metastore.forget(version)

    def _unpublish(self) -> None:
        stands = self._stands()
        if stands:
            self.target = stands.id
            self.done = self.metastore.unpublish(stands)

    def _stands(self) -> Version | None:
        found: Version | None = self.metastore.published(TABLE, [self.slice.ds]).get(self.slice.ds)
        return found


def _possible(before: set[str | None], acts: list[Act]) -> set[str | None]:
    """What may be published after these: of what was reported the last, in some order; of the rest perhaps."""
    effects = [(act, _effect(act)) for act in acts if _effect(act) is not _NOTHING]
    sure = [effect for act, effect in effects if act.ended]
    perhaps = [effect for act, effect in effects if not act.ended]
    # A removal is of one version: it cannot remove what another one publishes.
    if len(sure) == 2 and None in sure:
        published = next(effect for effect in sure if effect is not None) if set(sure) != {None} else None
        removed = next(act.target for act in acts if act.operation == "unpublish" and act.done)
        return {published} if removed != published else {published, None}
    return set(sure or before) | set(perhaps)


_NOTHING = "nothing"


def _effect(act: Act) -> str | None:
    if act.target is None or act.operation == "retain" or act.done is False:
        return _NOTHING
    return None if act.operation == "unpublish" else act.target


def sequences(usual: int) -> int:
    """How many sequences of operations."""
    return int(os.environ.get("DAYSLICE_SEQUENCES", usual))


def keep(promise: type[Promise], usual: int, steps: int) -> None:
    """Run so many sequences."""
    run_state_machine_as_test(
        promise,
        settings=settings(
            max_examples=sequences(usual),
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_the_promise_holds_by_the_logic_that_hive_and_glue_share(monkeypatch):
    publishers = Publishers()
    faulty = publishers.patch(monkeypatch, Remembered)

    class InMemory(Promise):
        def __init__(self) -> None:
            super().__init__()
            self.tables = {TABLE: {}}

        def open(self) -> Any:
            return faulty(self.tables)

    InMemory.publishers = publishers
    keep(InMemory, 100, 10)


def test_the_promise_holds_on_the_local_metastore(tmp_path):
    """A call is one transaction there: a kill leaves all of it or nothing."""
    publishers = Publishers()
    local = publishers.faulty(SQLiteMetastore, (), ("publish", "forget", "unpublish", "published", "versions"))
    with local(tmp_path / "metastore.sqlite") as metastore:
        metastore.connection.execute("pragma synchronous = off")
        keep(type("Local", (Promise,), {"open": lambda _: metastore, "publishers": publishers}), 100, 10)


@pytest.mark.parametrize("metastore", ["glue"], indirect=True)
def test_the_promise_holds_on_glue(metastore, monkeypatch):
    publishers = Publishers()
    faulty = publishers.patch(monkeypatch, type(metastore))
    opened = {"open": lambda _: faulty(client=metastore.client), "publishers": publishers}
    keep(type("OnGlue", (Promise,), opened), 3, 8)


@pytest.mark.parametrize("metastore", [pytest.param("hive", marks=pytest.mark.trino)], indirect=True)
def test_the_promise_holds_on_hive(metastore, monkeypatch):
    publishers = Publishers()
    faulty = publishers.patch(monkeypatch, type(metastore))
    opened = {"open": lambda _: faulty(metastore.uri), "publishers": publishers}
    keep(type("OnHive", (Promise,), opened), 3, 8)
