"""Fixtures of all tests."""

import atexit
import io
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from dayslice import cli
from tests.sharing import Groups, place_of

# What a person has set for their own warehouse is not for tests, but for where downloads and a stack are.
KEPT = {"DAYSLICE_CACHE", "DAYSLICE_TEST_STACK", "DAYSLICE_ROUNDS", "DAYSLICE_SEQUENCES", "DAYSLICE_PARITY_DAYS"}
KEPT |= {"DAYSLICE_TEST_SUPERSET", "DAYSLICE_BROKER", "DAYSLICE_COLD_STARTS", "DAYSLICE_WAITS", "DAYSLICE_NODES_SCALE"}
# A shell's job in the background ignores it, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
NOT_FOR_TESTS = ("DAYSLICE_", "DBT_", "OPENLINEAGE_")
for name in [each for each in os.environ if each.startswith(NOT_FOR_TESTS) and each not in KEPT]:
    del os.environ[name]

PASSED = pytest.StashKey[bool]()

# Tests of the demo, and those that look at its dashboards; single modules elsewhere say so themselves.
OF_THE_DEMO = ("tests/demo/", "tests/superset/")
NODES = "tests/nodes/"


def pytest_configure(config: pytest.Config) -> None:
    """Each run has its temporary folders for itself where root runs it; they go, unless something failed.

    PostgreSQL is another user then, and pytest closes the folders of all runs to others whenever one starts.
    """
    if os.geteuid() or "PYTEST_DEBUG_TEMPROOT" in os.environ or hasattr(config, "workerinput"):
        return
    folder = Path(mkdtemp(prefix="dayslice-tests-"))
    folder.chmod(0o755)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    # Before the servers' own ends are registered, so that it comes after them.
    atexit.register(lambda: PASSED in config.stash and shutil.rmtree(folder, ignore_errors=True))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Whether there is nothing to look at in the temporary folders."""
    if exitstatus == pytest.ExitCode.OK:
        session.config.stash[PASSED] = True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of the demo are marked; where several processes run tests, the longest are first."""
    for item in items:
        if item.nodeid.startswith(OF_THE_DEMO):
            item.add_marker(pytest.mark.demo)
    if "nodes" not in config.option.markexpr:  # they take more of a machine than CI has, and are asked for by name
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid.startswith(NODES)])
        items[:] = [item for item in items if not item.nodeid.startswith(NODES)]
    if hasattr(config, "workerinput"):
        items.sort(key=place_of)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Groups:
    """Who shares the tests out."""
    return Groups(config, log)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In CI, say at once what failed: a run that is cut off by its time has no summary."""
    if report.failed and os.environ.get("CI") and "PYTEST_XDIST_WORKER" not in os.environ:
        last = str(report.longrepr).strip().rpartition("\n")[2]
        crash = getattr(getattr(report.longrepr, "reprcrash", None), "message", last)
        where = f"{report.nodeid} ({report.when}, {report.duration:.0f} s)"
        print(f"\n{where}: {' '.join(crash.split())[:400]}", flush=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that a test records as `said` are shown at the end, whichever process ran it."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "said":
                terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def require() -> Callable[[str | None], None]:
    """`require(missing)`: skip, naming what is missing. In CI nothing may be missing, so there it fails."""

    def check(missing: str | None) -> None:
        if missing and os.environ.get("CI"):
            pytest.fail(missing)
        if missing:
            pytest.skip(missing)

    return check


def pytest_collection_finish(session: pytest.Session) -> None:
    """In CI, get what is large before the first test: a test's own time does not pay for gigabytes.

    Each process that runs tests comes here; the second finds what the first has got.
    """
    if not os.environ.get("CI") or session.config.option.collectonly:
        return
    wanted = {mark for mark in ("superset", "trino") if any(each.get_closest_marker(mark) for each in session.items)}
    if "superset" in wanted:
        make_superset_environment()
    if "trino" in wanted:
        get_stack()


def end_with(sentence: str) -> None:
    """Run no test. Of several processes one cannot end the others, nor say why: there the fixtures say it again."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.exit(sentence, returncode=1)


def make_superset_environment() -> None:
    """Superset's own environment, in the cache folder."""
    from dayslice.errors import DaysliceError  # noqa: PLC0415
    from dayslice.services.superset.environment import make_environment  # noqa: PLC0415

    try:
        make_environment(print)
    except DaysliceError as error:
        end_with(str(error))


def get_stack() -> None:
    """The stack's programs."""
    from dayslice.errors import DaysliceError  # noqa: PLC0415
    from dayslice.services.stack.machine import missing_for_stack  # noqa: PLC0415
    from dayslice.services.stack.packages import install_packages  # noqa: PLC0415
    from dayslice.services.stack.versitygw import install_versitygw  # noqa: PLC0415

    try:
        if missing := missing_for_stack():
            raise DaysliceError(missing)
        install_versitygw()
        install_packages(print)
    except DaysliceError as error:
        end_with(str(error))


@pytest.fixture(scope="session")
def stack(tmp_path_factory, require):
    """Trino, a Hive metastore and an S3 server of this test session, on free ports; stopped at its end."""
    from dayslice.services.stack.machine import Ports, Stack, missing_for_stack  # noqa: PLC0415
    from dayslice.services.stack.packages import downloaded  # noqa: PLC0415

    missing = missing_for_stack()
    if not missing and not downloaded() and not os.environ.get("CI"):
        missing = "Trino and the Hive metastore are not downloaded yet (1.3 GB): run dayslice stack up once"
    require(missing)
    if running := os.environ.get("DAYSLICE_TEST_STACK"):  # one that is up already, such as warehouse/stack: quick turns
        yield Stack(Path(running))
        return
    stack = Stack(tmp_path_factory.mktemp("stack"), Ports.free())
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Each test asks something new of Trino, of few rows: the compiler for what runs long would cost more
            # than it gains, a third of all that Trino computes.
            patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
            stack.up(print)
        yield stack
    finally:
        stack.down(print)


def chromium() -> str | None:
    """The system's browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser(require):
    """Headless Chromium, the system's own. A module's: while it is there, the thread has a running event loop."""
    require(None if chromium() else "no Chromium on the PATH (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        # As root there is no sandbox to be had.
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def files_are_made_as_before() -> Iterator[None]:
    """A command that runs in this process makes its files private, for good; a server of another user reads some."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def receiver(monkeypatch):
    """One of OpenLineage's receivers, which this environment names."""
    from tests.receivers import SECRET, lineage_receiver  # noqa: PLC0415 - a mail server comes with it

    with lineage_receiver() as server:
        monkeypatch.setenv("OPENLINEAGE_URL", server.url)
        monkeypatch.setenv("OPENLINEAGE_API_KEY", SECRET)
        yield server


@pytest.fixture(autouse=True)
def openlineage_is_as_before() -> Iterator[None]:
    """Its client writes its variables anew, in their longer form, into the environment of its process."""
    yield
    for name in [each for each in os.environ if each.startswith("OPENLINEAGE__")]:
        del os.environ[name]


@pytest.fixture
def run(project, monkeypatch, capsys):
    """Runs a command in the folder of the module's `project`; exit code, standard output, standard error.

    Nobody answers its questions, where a test does not say what is typed.
    """

    def call(*arguments):
        if not isinstance(sys.stdin, io.StringIO):
            monkeypatch.setattr(sys, "stdin", io.StringIO())
        monkeypatch.chdir(project.root)
        monkeypatch.setattr(sys, "argv", ["dayslice", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return ended.value.code, printed.out, printed.err

    return call
