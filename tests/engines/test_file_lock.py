"""Two processes that want one lock wait for each other and do not fail."""

import subprocess
import sys
import textwrap

import pytest

from dayslice.engines.file_lock import FileLock
from dayslice.errors import Transient

COUNT_UP = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from dayslice.engines.file_lock import FileLock
    file = Path(sys.argv[1])
    for _ in range(20):
        with FileLock(file):
            file.write_text(str(int(file.read_text()) + 1))
    """
)


def test_processes_wait_for_each_other(tmp_path):
    path = tmp_path / "counter"
    path.write_text("0")
    counters = [subprocess.Popen([sys.executable, "-c", COUNT_UP, str(path)]) for _ in range(3)]
    assert [counter.wait(60) for counter in counters] == [0, 0, 0]
    assert path.read_text() == "60"


def test_the_wait_ends_with_the_holder_s_name(tmp_path):
    hold = f"""
import sys, time
from pathlib import Path
from dayslice.engines.file_lock import FileLock
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
    with FileLock(tmp_path / "w"), FileLock(tmp_path / "w"):
        pass
    with FileLock(tmp_path / "w", wait_seconds=0):
        pass
