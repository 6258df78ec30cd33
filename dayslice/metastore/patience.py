"""How long a command tries to reach a metastore that is away: long where it writes, short where somebody only looks."""

import os

from dayslice.rules.numbers import positive

WAIT = "DAYSLICE_METASTORE_WAIT"
# A metastore that is restarted is away for a few seconds; a run should not fail for that.
WRITES_SECONDS = 60.0
# Who looks sits before it.
LOOKS_SECONDS = 10.0


def patience() -> float:
    """Seconds: DAYSLICE_METASTORE_WAIT, else a minute."""
    return positive(WAIT, os.environ.get(WAIT), WRITES_SECONDS, "seconds")


def look_only() -> None:
    """This process only looks."""
    os.environ.setdefault(WAIT, str(LOOKS_SECONDS))
