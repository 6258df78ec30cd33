"""DuckDB in this process: what it holds, and where it spills."""

import os
import subprocess
import sys

from dayslice.engines.embedded import SPILL, open_engine, sweep_spills

PROGRAM = """
import sys, threading
from pathlib import Path
from dayslice.engines.embedded import open_engine

def compute(number):
    with open_engine(Path(sys.argv[1]), "") as engine:
        engine.execute("set threads = 1")
        text = f"repeat(chr({64 + number}), 60)"
        engine.execute(f"create table t as select range as i, {text} || range as s from range(2000000)")
        found = engine.execute(f"select count(*) from t where s = {text} || i").fetchone()
        print(found[0])

threads = [threading.Thread(target=compute, args=(number,)) for number in (1, 2)]
[each.start() for each in threads]
[each.join() for each in threads]
"""


def test_two_engines_of_one_process_spill_and_keep_their_own_rows(tmp_path):
    env = {**os.environ, "DAYSLICE_MEMORY": "100M"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    assert done.stdout.split() == ["2000000", "2000000"]


def test_what_a_killed_process_spilled_is_removed(tmp_path):
    with open_engine(tmp_path, "") as engine:
        [folder] = engine.execute("select current_setting('temp_directory')").fetchone()
    for name in ("4194305-1", "4194305-2"):  # above the largest id that Linux gives
        (tmp_path / SPILL / name).mkdir(parents=True)
    (tmp_path / SPILL / f"{os.getpid()}-9").mkdir()
    sweep_spills(tmp_path)
    assert [each.name for each in (tmp_path / SPILL).iterdir()] == [f"{os.getpid()}-9"]
    assert folder.startswith(f"{tmp_path}/{SPILL}/{os.getpid()}-")
