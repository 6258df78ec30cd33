"""Fixtures of all tests."""

import os
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def require() -> Callable[[str | None], None]:
    """`require(missing)`: skip, naming what is missing. In CI nothing may be missing, so there it fails."""

    def check(missing: str | None) -> None:
        if missing and os.environ.get("CI"):
            pytest.fail(missing)
        if missing:
            pytest.skip(missing)

    return check
