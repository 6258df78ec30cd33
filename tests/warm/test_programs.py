"""A warm program is a process like a cold one: streams, folder, environment, umask, exit code, and what ends it."""

import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.warm.programs import program


@pytest.fixture
def project(tmp_path):
    done = subprocess.run([program("dayslice"), "init", "w"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path / "w"


def test_its_output_and_its_exit_code_are_its_own(tmp_path):
    for program_name, word, code, said in [("dayslice", "nope", 2, "No such command"), ("dbt", "nope", 2, "nope")]:
        command = [program(program_name), word]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr
    assert subprocess.check_output([program("dayslice"), "--version"], text=True).startswith("dayslice, version")


def test_it_has_the_folder_the_environment_and_the_umask_of_whoever_starts_it(project):
    told = {"DAYSLICE_TARGET": "moon", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([program("dayslice"), "status"], cwd=project, env=told, capture_output=True, check=False)
    assert (done.returncode, b"moon" in done.stderr) == (2, True)
    script = f"umask 027; {program('dayslice')} new t --folder f"
    subprocess.run(["bash", "-c", script], cwd=project, check=True, capture_output=True)
    assert (project / "models/f/t.sql").stat().st_mode & 0o777 == 0o640


def test_it_can_be_a_part_of_a_pipe_that_is_closed(project):
    script = f"{program('dayslice')} status | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode in (0, 141), done.stderr) == (True, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGKILL)])
def test_a_signal_reaches_it_and_the_client_ends_with_it(project, number, code):
    before = children()
    process = subprocess.Popen(
        [program("dayslice"), "sql"], cwd=project, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not any(reads_a_pipe(each) for each in children() - before):
        assert process.poll() is None
        time.sleep(0.02)
    began = children() - before
    process.send_signal(number)
    process.wait(60)
    assert process.returncode == code
    # Its end of the connection is closed a moment before the process is no more.
    assert until_gone(began, seconds=30) == []


def is_there(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until_gone(processes: set[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that are still there after so many seconds."""
    ends = time.monotonic() + seconds
    while there := [each for each in processes if is_there(each)]:
        if time.monotonic() > ends:
            break
        time.sleep(0.02)
    return there


def reads_a_pipe(process: psutil.Process) -> bool:
    return "pipe_read" in Path(f"/proc/{process.pid}/wchan").read_text()


def children() -> set[psutil.Process]:
    """What the server has forked."""
    own = [each for each in psutil.Process().children() if is_there(each)]  # not what another test did not wait for
    [server] = [each for each in own if "server.py" in " ".join(each.cmdline())]
    return set(server.children())
