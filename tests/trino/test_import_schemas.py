"""Imports that run at once make their schemas at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dayslice_importers.engines.trino_views import make_schema

from dayslice.engines.target import load_target
from dayslice.engines.trino_client import connect


@pytest.mark.trino
def test_a_schema_that_many_make_at_once_is_made_once_without_an_error(stack, monkeypatch):
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    credentials = load_target(Path(__file__).parents[2], "trino").credentials

    def make(number: int) -> None:
        with connect(credentials) as connection:
            make_schema(connection, f"together_{number % 4}")

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(make, range(32)))
    with connect(credentials) as connection:
        schemas = {name for (name,) in connection.cursor().execute("show schemas").fetchall()}
    assert {f"together_{number}" for number in range(4)} <= schemas
