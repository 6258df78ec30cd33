"""One Superset for all tests, on two days of the demo. Its environment is made once a machine, in the cache folder."""

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from playwright.sync_api import TimeoutError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from dayslice.services.service import free_port
from dayslice.services.superset.environment import environment_directory, made, missing_python
from tests.superset.running_superset import ANALYST, PASSWORD, RunningSuperset, copy_project


@pytest.fixture(scope="session")
def superset(require):
    """Superset, up; with an analyst beside its admin."""
    require(missing_python())
    if not made() and not os.environ.get("CI"):
        pytest.skip(
            f"Superset's environment (0.9 GB in {environment_directory()}) is not made: run dayslice superset up"
        )
    # Not in pytest's folder: only root may enter that, and PostgreSQL runs as somebody else where root runs this.
    kept = os.environ.get("DAYSLICE_TEST_SUPERSET")  # a folder whose Superset goes on running: quick turns
    folder = Path(kept or mkdtemp(prefix="dayslice-test-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    root = folder / "project"
    running = RunningSuperset(root, folder / "home", free_port())
    if running.instance.running():
        running.port = running.instance.settings.port
        yield running
        return
    root.mkdir()
    copy_project(root)
    try:
        running.run("demo", "--days", "2")
        running.said = running.run("superset", "up", "--port", str(running.port), "--query-seconds", "15").stdout
        make_analyst(running)
        yield running
    finally:
        if not kept:
            running.instance.stop()
            shutil.rmtree(folder, ignore_errors=True)


def make_analyst(running):
    admin = running.login()
    roles = {each["name"]: each["id"] for each in admin.get("security/roles/?q=(page_size:100)")["result"]}
    person = {"first_name": "Ana", "last_name": "Lyst", "email": "ana@example.com", "active": True}
    told = {**person, "username": ANALYST, "password": PASSWORD, "roles": [roles["Analyst"]]}
    answer = admin.send("POST", "security/users/", told)
    assert answer.ok, answer.text


@pytest.fixture
def admin(superset):
    return superset.login()


@pytest.fixture
def analyst(superset):
    return superset.login(ANALYST, PASSWORD)


@pytest.fixture
def page(browser, superset):
    """A page of the analyst, logged in through the login page."""
    context = browser.new_context(viewport={"width": 1400, "height": 1500})
    page = context.new_page()
    page.set_default_timeout(60_000)
    log_in(page, superset)
    yield page
    context.close()


@retry(retry=retry_if_exception_type(TimeoutError), stop=stop_after_attempt(3), reraise=True)
def log_in(page, superset):
    """As a person, who tries once more when the login page comes again.

    The session is a cookie: an answer to the login page's own requests that comes after the login undoes it.
    """
    page.goto(f"{superset.url}/login/", wait_until="networkidle")
    page.locator("input#username").fill(ANALYST)
    page.locator("input#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url, timeout=20_000)
