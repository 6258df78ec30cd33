"""The production profile speaks https to every host but this machine, and looks at the certificate."""

from pathlib import Path

import pytest

from dayslice.engines.target import load_target

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("environment", "scheme"),
    [
        ({}, "http"),
        ({"DAYSLICE_TRINO_HOST": "127.0.0.1"}, "http"),
        ({"DAYSLICE_TRINO_HOST": "trino.internal", "DAYSLICE_TRINO_PORT": "8443"}, "https"),
        ({"DAYSLICE_TRINO_HOST": "trino.internal", "DAYSLICE_TRINO_SCHEME": "http"}, "http"),
    ],
)
def test_the_profile_speaks_https_to_other_machines(environment, scheme, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    credentials = load_target(ROOT, "trino").credentials
    assert credentials.http_scheme.value == scheme
    assert credentials.cert is True
