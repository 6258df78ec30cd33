"""A detached process: found again, stopped with all that it started, even when it died before."""

import os
import signal
import socket
import sys
import time

import psutil
import pytest

from dayslice.errors import DaysliceError
from dayslice.services.service import Service, free_port

# Starts a child in a process group of its own, as Airflow does for its tasks, and says its pid.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn=os.setpgrp)
print(child.pid, os.environ.get("SECRET"), os.environ.get("UNWANTED"), flush=True)
time.sleep(600)
"""


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWANTED", "yes")
    service = Service(
        "parent", tmp_path, lambda: [sys.executable, "-c", PARENT], None, {"SECRET": "hidden", "UNWANTED": None}
    )
    service.start()
    service.wait_until(service.log_tail, seconds=30)
    yield service
    service.stop()


def test_it_is_found_again_with_its_environment_and_stopped_with_its_children(service, tmp_path):
    pid, secret, unwanted = service.log_tail().split()
    assert (secret, unwanted) == ("hidden", "None")
    again = Service("parent", tmp_path, lambda: [], None)
    again.start()
    assert again.process().pid == service.process().pid, "a second start is no second process"
    assert {each.pid for each in again.family()} == {service.process().pid, int(pid)}
    assert again.stop(seconds=2)
    assert not psutil.pid_exists(int(pid))
    assert not again.stop()


def test_what_a_killed_process_left_is_stopped_too(service):
    pid = int(service.log_tail().split()[0])
    os.kill(service.process().pid, signal.SIGKILL)
    while service.process():
        time.sleep(0.01)
    assert psutil.pid_exists(pid)
    service.start()
    assert not psutil.pid_exists(pid), "the next start does not run beside it"


def test_a_process_that_dies_as_it_starts_shows_the_end_of_its_log(tmp_path):
    service = Service("wrong", tmp_path, lambda: [sys.executable, "-c", "raise SystemExit('no such luck')"], None)
    service.start()
    with pytest.raises(DaysliceError, match=r"(?s)wrong stopped while it started; .*log:\nno such luck"):
        service.wait_until(lambda: False, seconds=30)


def test_a_port_in_use_is_named(tmp_path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(DaysliceError, match=f"port {port} is in use"):
        Service("late", tmp_path, lambda: ["true"], port).start()
