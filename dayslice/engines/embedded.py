"""DuckDB as an engine of this process alone: in memory, spilling to a folder of its own, over the warehouse's files."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import psutil

from dayslice.engines.landed_csv import literal
from dayslice.errors import UsageError
from dayslice.store.duckdb_s3 import read_s3

DATABASE = "dayslice"
"""The catalog's name: in a compiled model, here, and of the readers' file."""
MEMORY = "DAYSLICE_MEMORY"
SPILL = "spill"
PARQUET = "format parquet, parquet_version v2"
"""How files are written (stage_slice.sql too). Version 2's encodings: 0.7 of the bytes, read in 0.6 of the time."""
SMALL, QUICK = "zstd", "snappy"
"""Compressions: of the only copy of its rows, and of one beside another: twice the bytes, where they are text that does
not repeat; half of the time to write them, and two thirds of it to read them."""
QUIET = "set enable_progress_bar = false"
"""DuckDB's bar goes to standard output, where a command's answer goes."""
_engines = itertools.count(1)


def memory_limit(parts: int = 1) -> str:
    """What one of `parts` engines of this process may take: DAYSLICE_MEMORY, or six tenths of the machine's."""
    given = os.environ.get(MEMORY, "").strip()
    if not given:
        return f"{int(psutil.virtual_memory().total * 0.6 / parts) >> 20}MiB"
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    number, unit = given[:-1], given[-1:].upper()
    if unit not in units or not number.replace(".", "", 1).isdigit():
        raise UsageError(f"{MEMORY}={given} is no size: write it as 800M or 4G")
    return f"{max(64, int(float(number) * units[unit] / parts) >> 20)}MiB"


def one_of(processes: int) -> dict[str, str]:
    """The environment of one of so many processes that compute on this machine at once, each in its share of what is
    the default. A limit that was given is one process's already.
    """
    return {} if os.environ.get(MEMORY, "").strip() else {MEMORY: memory_limit(processes).removesuffix("iB")}


def open_engine(home: Path, warehouse: str, parts: int = 1) -> duckdb.DuckDBPyConnection:
    """An engine of its own; `parts` of them may be open in this process at once. Close it."""
    connection = duckdb.connect(":memory:", config=settings(home, parts))
    try:
        connection.execute(QUIET)
        connection.execute(f"attach ':memory:' as {DATABASE}")
        connection.execute(f"use {DATABASE}")
        read_s3(connection, warehouse)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def engine(home: Path, warehouse: str) -> Iterator[Any]:
    """An engine for a short task. Its threads, left open, would abort a process that is forked later."""
    with open_engine(home, warehouse) as connection:
        yield connection


def settings(home: Path, parts: int = 1) -> dict[str, Any]:
    """How an engine of this process begins."""
    return {
        "memory_limit": memory_limit(parts),
        "temp_directory": str(spill_folder(home)),
        "preserve_insertion_order": True,
    }


def spill_folder(home: Path) -> Path:
    """A folder for one engine: two that spill into the same one, also of one process, overwrite each other's rows."""
    with suppress(OSError):  # who may only read the home computes in memory
        (home / SPILL).mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder of a path only
    return home / SPILL / f"{os.getpid()}-{next(_engines)}"


def sweep_spills(home: Path) -> None:
    """Remove what killed processes left of their spilled data."""
    for folder in (home / SPILL).glob("*"):
        process = folder.name.partition("-")[0]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def copy_to_parquet(connection: Any, select: str, file: str, more: str = "", compression: str = SMALL) -> int:
    """Write the rows of a SELECT into one Parquet file, with `more` options; how many they are."""
    options = ", ".join([PARQUET, f"compression {compression}", *([more] if more else [])])
    found = connection.execute(f"copy ({select}) to {literal(file)} ({options})").fetchone()
    return int(found[0])
