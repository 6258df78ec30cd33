"""The notebook of the docs, run as it stands on the demo's warehouse."""

import subprocess
import sys

from tests.demo.conftest import ROOT


def test_the_notebook_of_the_docs_runs(demo):
    command = [sys.executable, "docs/notebook.py"]
    done = subprocess.run(command, cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("943 flights left New York on 2013-01-02\n")
    for shown in ("John F Kennedy Intl", "2013-01-10", "14 rows, the first 10 shown", "carrier"):
        assert shown in done.stdout


def test_the_end_of_the_demo_says_how_to_look_at_it(demo):
    [line] = [line for line in demo.said.splitlines() if ' sql "' in line]
    done = demo.run("sql", line.partition('sql "')[2].rstrip('"'), "--csv")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 10
