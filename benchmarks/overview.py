"""A look at many tables: what is published of them, and the calendar page made of it.

`python -m benchmarks.overview --tables 1000 --days 14 400` on the embedded metastore; with `--hive thrift://…` on
that metastore, in a schema of its own. Receipts are as a model's of 14 columns and two inputs. The page is kept with
`--html`.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from dayslice.metastore.interface import Metastore
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.calendar import shift
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import Read, inputs_text
from dayslice.rules.settings import Kind, TableSettings
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.rules.waits import Wait
from dayslice.runner.calendar_page.page import write_calendar
from dayslice.runner.project import Project

LAST = "2026-11-24"
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
COLUMNS = str([[f"column_{n}", "VARCHAR"] for n in range(14)]).replace("'", '"')
FINGERPRINT = '["duckdb 1.5.5 sum(hash)","%s",{%s}]'
SCHEMA = "overview_benchmark"
# Derby takes no more at once.
_AT_ONCE = 50


def main() -> None:
    """Measure, and print a line each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, default=1000)
    options.add_argument("--days", type=int, nargs="+", default=[14, 400])
    options.add_argument("--hive", metavar="URI", help="a Hive metastore to be filled and looked at")
    options.add_argument("--html", type=Path, help="where the last page is kept")
    given = options.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as folder:
        project = project_of(given.tables, Path(folder))
        days = sorted(given.days)
        with filled(project, max(days), Path(folder), given.hive) as metastore:
            for each in days:
                for what, (cpu, wall) in measured(project, metastore, each, given.html or Path(folder) / "page.html"):
                    console.print(f"{given.tables} tables, {each} ds: {what}: {cpu:.2f} s CPU, {wall:.2f} s")


def measured(
    project: Project, metastore: Metastore, days: int, html: Path
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Each look, with its seconds."""
    nodes = list(project.tables.values())
    tables = [node.table for node in nodes]
    first = shift(LAST, 1 - days)
    yield "every ds", clocked(lambda: metastore.published_ds_of(tables))
    yield "overview", clocked(lambda: metastore.overview(tables, first, LAST))
    yield "calendar page", clocked(lambda: write_calendar(project, metastore, nodes, NOW, html, first, shift(LAST, 1)))
    yield f"its size: {html.stat().st_size / 1e6:.2f} MB", (0, 0)


def clocked(what: Any) -> tuple[float, float]:
    """CPU and wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    what()
    return time.process_time() - cpu, time.perf_counter() - wall


def project_of(count: int, home: Path) -> Project:
    """A fifth are imports; each model reads two tables before it."""
    nodes: dict[str, TableNode] = {}
    for n in range(count):
        is_import = n < count / 5
        name = f"orders_{n}" if is_import else f"daily_figures_{n}"
        unique_id = f"source.shop.erp.{name}" if is_import else f"model.shop.{name}"
        known = list(nodes)
        waits = () if is_import else (Wait(known[n * 7 % n]), Wait(known[n // 2]))
        kind = Kind.EVENTS if n % 3 else Kind.CUMULATIVE
        settings = TableSettings(kind=kind, owner=f"team-{n % 12}", late_after="6h")
        meta = {"connection": "erp"} if is_import else {}
        text = f"One row per thing of kind {n}, with what was counted of it."
        path = f"models/shop/{name}.sql"
        nodes[unique_id] = TableNode(
            unique_id, Table(SCHEMA, name), is_import, settings, meta, path, path, text, {}, waits, None
        )
    target: Any = SimpleNamespace(home=home, notes=home, name="benchmark")
    nothing: Any = None
    return Project(home, target, nothing, {}, nodes, ZoneInfo("UTC"))


def filled(project: Project, days: int, folder: Path, hive: str | None) -> Any:
    """A metastore in which nearly all slices are published; some are late, missing, empty or stale."""
    slices = [shift(LAST, -n) for n in reversed(range(days))]
    if hive:
        from benchmarks.overview_on_hive import filled_hive  # noqa: PLC0415 - Thrift, for who has it

        return filled_hive(hive, versions_of(project, slices), _AT_ONCE)
    metastore = SQLiteMetastore(folder / "metastore.sqlite")
    metastore.publish_first([version for some in versions_of(project, slices) for version in some])
    return metastore


@dataclass(frozen=True)
class OneFile:
    """A file that all slices share, with its size and its columns, where their rows are to be read."""

    place: str
    size: int
    columns: str


def versions_of(project: Project, slices: list[str], file: OneFile | None = None) -> Iterator[list[Version]]:
    """The versions of each table."""
    known: dict[Table, dict[str, str]] = {}
    for n, node in enumerate(project.tables.values()):
        own = {}
        for at, ds in enumerate(slices):
            if (n % 97 == 5 and at % 61 == 7) or (n % 53 == 9 and ds >= shift(LAST, -2)):
                continue
            own[ds] = version_of(project, node, ds, n, at, known)
            if file:
                more = {**own[ds].receipt.more, "columns": file.columns, "sizes": f"[{file.size}]"}
                own[ds] = replace(own[ds], receipt=replace(own[ds].receipt, more=more), location=file.place)
        known[node.table] = {ds: each.id for ds, each in own.items()}
        yield list(own.values())


def version_of(
    project: Project, node: TableNode, ds: str, n: int, at: int, known: dict[Table, dict[str, str]]
) -> Version:
    """One, as its importer or its build would have written it."""
    begun = datetime.fromisoformat(ds).replace(tzinfo=UTC) + timedelta(days=1, minutes=30 + n // 10 + at * 7 % 13)
    begun += timedelta(microseconds=secrets.randbelow(10**6))
    finished = begun + timedelta(seconds=2 + n % 40, microseconds=secrets.randbelow(10**6))
    id = f"v{begun:%Y%m%d%H%M%S%f}_{secrets.token_hex(3)}"
    more = {"columns": COLUMNS, "first_published": finished.isoformat(), "parts": '["part-00.parquet"]', "sizes": "[1]"}
    logic, audits = project.logic.get(node.unique_id, (f"{n:016x}", "0"))
    values = ",".join(f'"column_{c}":"{secrets.token_hex(9)}"' for c in range(14))
    more |= {"fingerprint": FINGERPRINT % (secrets.token_hex(9), values), "logic": logic, "audit_logic": audits}
    read = {}
    for wait in node.waits:
        upstream = project.tables[wait.upstream].table
        if version := known.get(upstream, {}).get(ds):
            other = n % 211 == 3 and at % 40 == 1
            read[Slice(upstream, ds)] = Read("v00000000000000000000_000000" if other else version, "", 5)
    more |= {} if node.is_import else {"inputs": inputs_text(read)}
    rows = 0 if n % 89 == 3 and at % 30 == 4 else 1000 + secrets.randbelow(10**5)
    receipt = Receipt(rows, rows * 11, 1, begun.isoformat(), finished.isoformat(), secrets.token_hex(8), more=more)
    return Version(Slice(node.table, ds), id, receipt, f"/warehouse/{node.table.name}/{id}/ds={ds}")


if __name__ == "__main__":
    main()
