"""The id of a run: all that one command publishes has it in its receipts, so that it can be taken back as one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

VARIABLE = "DAYSLICE_RUN"


@contextmanager
def one_run() -> Iterator[str]:
    """For a while all that is published in this process and in those it starts is of one run. Gives its id."""
    before = os.environ.get(VARIABLE)
    run = before or new_run_id()
    os.environ[VARIABLE] = run
    try:
        yield run
    finally:
        if before is None:
            del os.environ[VARIABLE]


def run_id(own: str) -> str:
    """The run that this process is part of; or its `own` id, where nobody said."""
    return os.environ.get(VARIABLE) or own


def new_run_id() -> str:
    """Short enough to be typed, and sorted by time."""
    return f"r{datetime.now(UTC):%Y%m%dT%H%M%S}_{secrets.token_hex(2)}"
