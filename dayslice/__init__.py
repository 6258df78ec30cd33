"""The thin runner: plans over (table, ds), calls dbt, and reads the truth from the metastore.

From a notebook: `dayslice.read("flights_flat")`, `dayslice.sql("select …")`. See docs/reading.md.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "read", "sql"]
# What a notebook calls; imported when it is, as every part of the program imports this package for its version.
_NOTEBOOK = "dayslice.runner.notebook"


def __getattr__(name: str) -> Any:
    if name in ("read", "sql"):
        return getattr(importlib.import_module(_NOTEBOOK), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
