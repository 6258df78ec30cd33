"""Two processes on one DuckDB file wait for each other and do not fail."""

import subprocess
import sys
import textwrap

import duckdb
import pytest

from dayslice.engines.duckdb_file import FileLock, open_duckdb
from dayslice.errors import Transient

COUNT_UP = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from dayslice.engines.duckdb_file import open_duckdb
    for _ in range(20):
        with open_duckdb(Path(sys.argv[1])) as connection:
            connection.execute("update counter set n = n + 1")
    """
)


def test_processes_wait_for_each_other(tmp_path):
    path = tmp_path / "w.duckdb"
    with open_duckdb(path) as connection:
        connection.execute("create table counter as select 0 as n")
    counters = [subprocess.Popen([sys.executable, "-c", COUNT_UP, str(path)]) for _ in range(3)]
    assert [counter.wait(60) for counter in counters] == [0, 0, 0]
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("select n from counter").fetchall() == [(60,)]


def test_the_wait_ends_with_the_holder_s_name(tmp_path):
    hold = f"""
import sys, time
from pathlib import Path
from dayslice.engines.duckdb_file import FileLock
FileLock(Path({str(tmp_path / "w.duckdb")!r})).acquire()
print("held", flush=True)
time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Transient, match=f"process {holder.pid}"):
            FileLock(tmp_path / "w.duckdb", wait_seconds=0.2).acquire()
    finally:
        holder.kill()
        holder.wait()
    lock = FileLock(tmp_path / "w.duckdb", wait_seconds=5)
    lock.acquire()  # a killed holder's lock is free
    lock.release()


def test_one_process_may_hold_it_twice(tmp_path):
    with open_duckdb(tmp_path / "w.duckdb") as outer, open_duckdb(tmp_path / "w.duckdb") as inner:
        outer.execute("create table t as select 1")
        assert inner.execute("from t").fetchall() == [(1,)]
