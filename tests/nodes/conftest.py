import atexit
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.sql.conftest import emptied

__all__ = ["emptied"]


def pytest_collection_modifyitems(items):
    """All tests here want more of a machine than CI has left."""
    for item in items:
        if "tests/nodes/" in item.path.as_posix():
            item.add_marker(pytest.mark.nodes)
            item.add_marker(pytest.mark.trino)


@pytest.fixture(scope="session")
def make_home():
    """Folders outside of pytest's own, which close to PostgreSQL's user when a second pytest starts."""

    def make() -> Path:
        folder = Path(mkdtemp(prefix="dayslice-test-"))
        folder.chmod(0o755)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    return make
