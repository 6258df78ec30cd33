"""The demo as a person runs it: killed, run again, run on."""

import re
import shlex

from tests.demo.conftest import DAYS

TABLES = 10


def test_a_killed_demo_goes_on_and_keeps_what_was_published(killed, demo):
    _, before = killed
    after = demo.versions()
    assert len(after) == TABLES * DAYS
    assert 3 * TABLES <= len(before) < len(after)
    assert before.items() <= after.items()


def test_a_second_run_skips_what_is_done(demo, second):
    assert second == {"done_before": TABLES * DAYS, "slices": []}


def test_no_server_is_left_running(demo, second):
    assert not (demo.home / "demo" / "postgres" / "postmaster.pid").exists()


def test_it_shows_what_stands_and_the_head_of_a_table(demo):
    lines = [re.split(r"  +", line.strip()) for line in demo.said.splitlines()]
    rows = {words[0].split(" ")[0]: " ".join(words).split(" ")[1:] for words in lines if words[0]}
    counts = demo.query("select count(*) from analytics.flights_flat group by ds order by ds").fetchall()
    assert rows["flights_flat"] == [f"{count:,}" for (count,) in counts]
    united = "select flights from analytics.carrier_metrics_latest where carrier_name = 'United Air Lines Inc.'"
    assert f"{demo.query(united).fetchone()[0]:,}" in next(line for line in demo.said.splitlines() if "United" in line)


def test_the_commands_that_it_names_work(demo):
    named = re.findall(r"^  \S*dayslice (.+)$", demo.said, re.MULTILINE)
    assert [line.split()[0] for line in named] == ["docs", "sql", "status", "build", "demo"]
    for line in named:
        words = shlex.split(line)
        if words[0] == "docs":
            words.append("--no-serve")
        if words[0] == "demo":
            continue  # only more days
        done = demo.run(*words)
        assert done.returncode == 0, done.stderr


def test_a_refusal_is_one_line_and_changes_nothing(demo):
    before = demo.versions()
    for words, reason in {
        ("--days", "0"): "at least 1 day",
        ("--days", "366"): "the data set has 2013-01-01 to 2013-12-31",
        ("--from", "2013-02-30"): "no such day",
        ("--from", "2013-03-01"): "would leave a gap: the newest slice is of 2013-01-14",
    }.items():
        done = demo.run("demo", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert reason in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert demo.versions() == before
