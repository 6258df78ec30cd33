"""Where downloaded and built programs are kept: outside the repository, shared by all its clones."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """`DAYSLICE_CACHE`, else the user's cache folder: `$XDG_CACHE_HOME/dayslice` or `~/.cache/dayslice`."""
    if own := os.environ.get("DAYSLICE_CACHE"):
        return Path(own).absolute()
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache").absolute() / "dayslice"
