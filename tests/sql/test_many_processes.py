"""Builds of one table, and of many, in several processes at once; readers that never wait; whole versions only.

One round here; DAYSLICE_ROUNDS=20 for as many, of 40 days of ten tables, and of eight readers and 200 replaced slices.
"""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from dayslice.metastore import readers_file
from dayslice.rules.calendar import span
from dayslice.rules.slices import Table
from tests.local_files import land_slice, metastore_of, readers

ROUNDS = int(os.environ.get("DAYSLICE_ROUNDS", "1"))
FORK = multiprocessing.get_context("fork")
FULL = ROUNDS > 1
TABLES = [f"t{number}" for number in range(10 if FULL else 3)]
DAYS = span("2013-01-01", "2013-02-09" if FULL else "2013-01-08")
READERS, REPLACED = (8, 200) if FULL else (4, 90)
YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
""" + "".join(f"  - {{name: {name}, config: {{meta: {{slice: events}}}}}}\n" for name in TABLES)


@pytest.fixture(scope="module")
def project(make_project):
    files = {f"models/{name}.sql": "select id, id * 2 as twice from {{ slice('erp', 'orders') }}" for name in TABLES}
    made = make_project({"models/models.yml": YAML, **files})
    for number, ds in enumerate(DAYS):
        made.land("orders", ds, f"select range + {number} from range(100)", "id int")
    built = made.build(DAYS[0], *TABLES)
    assert {each.status for each in built.values()} == {"success"}, built
    return made


def build_all(project, jobs):
    for ds, names in jobs:
        built = project.build(ds, *names)
        assert {each.status for each in built.values()} == {"success"}, built


def in_processes(project, lists_of_jobs):
    workers = [FORK.Process(target=build_all, args=(project, jobs)) for jobs in lists_of_jobs]
    for each in workers:
        each.start()
    for each in workers:
        each.join(1200)
    assert [each.exitcode for each in workers] == [0] * len(workers)


def whole(project, names):
    """Every published slice has its own day's rows, and every file belongs to a version that is known."""
    for name in names:
        rows = project.query(f"select ds, count(*), min(id), sum(twice) from analytics.{name} group by ds order by ds")
        assert rows == [(ds, 100, n, 2 * sum(range(n, n + 100))) for n, ds in enumerate(DAYS)]
        with metastore_of(project.home) as metastore:
            known = {v.id for versions in metastore.history(Table("analytics", name)).values() for v in versions}
        assert {folder.name for folder in (project.home / "landing/analytics" / name).iterdir()} == known
    assert project.staged() == []


@pytest.mark.parametrize("round", range(ROUNDS))
def test_four_processes_build_days_of_one_table(project, round):
    in_processes(project, [[(ds, TABLES[:1]) for ds in DAYS[n::4]] for n in range(4)])
    whole(project, TABLES[:1])


@pytest.mark.parametrize("round", range(ROUNDS))
def test_four_processes_build_the_same_days_of_all_tables(project, round):
    chance = random.Random(round)
    in_processes(project, [[(ds, TABLES) for ds in chance.sample(DAYS, len(DAYS))] for _ in range(4)])
    whole(project, TABLES)


T = Table("analytics", "shown")


def write(home, first, rounds):
    """Replaces slices: each version has as many rows as its number says, all of them with that number."""
    for number in range(first, first + rounds):
        ds = f"2013-01-0{number % 3 + 1}"
        land_slice(home, T, ds, f"select {number}, {number} from range({number})", "n int, again int")
        readers_file.published(home / "dayslice.duckdb", home / "metastore.sqlite", str(home / "landing"))


def roll_back(home, rounds):
    for _ in range(rounds):
        with metastore_of(home) as metastore:
            versions = [v for kept in metastore.history(T).values() for v in kept]
            metastore.publish(random.choice(versions))
        readers_file.published(home / "dayslice.duckdb", home / "metastore.sqlite", str(home / "landing"))
        time.sleep(0.01)


def let_go(home, rounds):
    """As retention does: forgets versions that are not published; their files stay for those who read them."""
    for _ in range(rounds):
        with metastore_of(home) as metastore:
            published = {version.id for version in metastore.published(T).values()}
            kept = [v for versions in metastore.history(T).values() for v in versions[2:] if v.id not in published]
            for version in kept:
                metastore.forget(version)
        time.sleep(0.05)


def read(home, until, out):
    """Opens the readers' file again and again; each answer must be of whole versions."""
    count, slowest = 0, 0.0
    while time.monotonic() < until:
        start = time.monotonic()
        with duckdb.connect(str(home / "dayslice.duckdb"), read_only=True) as connection:
            for sql in ("analytics.shown", "analytics.shown_latest", "(from analytics.shown where ds = '2013-01-02')"):
                rows = connection.execute(f"select ds, count(*), min(n), max(n) from {sql} group by ds").fetchall()
                assert rows
                assert all(rows == least == most for _, rows, least, most in rows)
        slowest = max(slowest, time.monotonic() - start)
        count += 1
    out.put((count, slowest))


def test_readers_see_whole_versions_while_writers_replace_roll_back_and_are_killed(tmp_path: Path):
    for number in (1, 2, 3):
        write(tmp_path, number, 1)
    with metastore_of(tmp_path) as metastore:
        metastore.publish_latest(Table("analytics", "shown_latest"), T)
    with readers(tmp_path) as held:  # one that has it open all the time
        before = held.execute("select ds, count(*) from analytics.shown group by ds order by ds").fetchall()
        until, answers = time.monotonic() + (60 if FULL else 6), FORK.Queue()
        watching = [FORK.Process(target=read, args=(tmp_path, until, answers)) for _ in range(READERS)]
        writers = [FORK.Process(target=write, args=(tmp_path, 10 + 100 * n, REPLACED // 3)) for n in range(3)]
        writers.append(FORK.Process(target=roll_back, args=(tmp_path, 60)))
        writers.append(FORK.Process(target=let_go, args=(tmp_path, 40)))
        for each in (*watching, *writers):
            each.start()
        time.sleep(1.5)
        os.kill(writers[0].pid, signal.SIGKILL)
        for each in (*watching, *writers):
            each.join(120)
        assert held.execute("select ds, count(*) from analytics.shown group by ds order by ds").fetchall() == before
    assert Counter(each.exitcode for each in writers[1:]) == {0: 4}
    assert [each.exitcode for each in watching] == [0] * READERS
    counts = [answers.get(timeout=5) for _ in watching]
    assert all(count > 3 for count, _ in counts), counts
    with readers(tmp_path) as connection, metastore_of(tmp_path) as metastore:
        shown = dict(connection.execute("select ds, count(*) from analytics.shown group by ds").fetchall())
        assert shown == {ds: version.receipt.rows for ds, version in metastore.published(T).items()}
