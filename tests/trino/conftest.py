import pytest

from tests.sql.conftest import emptied, make_project

__all__ = ["emptied", "make_project"]


def pytest_collection_modifyitems(items):
    """All tests here need the stack."""
    for item in items:
        if "tests/trino/" in item.path.as_posix():
            item.add_marker(pytest.mark.trino)


@pytest.fixture(scope="module")
def engine():
    return "trino"
