"""`dayslice diff` of two versions of a slice beside a full join by hand, and where the fingerprints are equal.

Run: python -m benchmarks.diff [--rows 3000000]. Twelve columns, 4 % of rows changed in one of them.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table as Shown

from dayslice.engines.embedded import copy_to_parquet, engine
from dayslice.engines.target import Target
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.diff_words import sides
from dayslice.rules.graph import TableNode
from dayslice.rules.receipts import AUDIT_LOGIC, FINGERPRINT, Fingerprint
from dayslice.rules.settings import TableSettings
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.runner.dbt_runs import Dbt
from dayslice.runner.diffs import Asked, Compare
from dayslice.runner.project import Project

TABLE = Table("analytics", "t")
DS = "2018-03-01"
AUDITS = "audits of the key"
COLUMNS = "abcdefghklm"
ROW = """
select range as id, (range * 7) % 1000 as a, range % 3 as b, cast(range * 1.5 as double) as c,
  'name ' || (range % 10000) as d, date '2020-01-01' + cast(range % 1000 as int) as e, (range * 13) % 99991 as f,
  case when range % 10 = 0 then null else range end as g,
  md5(cast(range as varchar)) as h, cast(range % 100 as decimal(10, 2)) as k, range % 2 = 0 as l,
  timestamp '2020-01-01' + to_seconds(range) as m
from range({rows})
"""


def main() -> None:
    """Each the best of three."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=3_000_000)
    rows = options.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        project = warehouse(Path(folder), rows)
        hand = best(lambda: by_hand(project))
        shown = Shown("what", "seconds", "of the full join")
        shown.add_row("a full join by hand", f"{hand:.2f}", "1.00")
        audited = replace(project, logic={"model.b.t": ("", AUDITS)})
        for what, of, words in (
            ("dayslice diff, key checked first", project, (f"{DS}@v1", f"{DS}@v2")),
            ("dayslice diff, key held by the audit of both", audited, (f"{DS}@v1", f"{DS}@v2")),
            ("dayslice diff, equal fingerprints", project, (f"{DS}@v2", f"{DS}@v3")),
        ):
            comparison = Compare(of, "t", *sides(*words), Asked())
            seconds = best(lambda: list(comparison.differences()))  # noqa: B023 - called at once
            shown.add_row(what, f"{seconds:.2f}", f"{seconds / hand:.2f}")
    Console().print(shown)


def warehouse(home: Path, rows: int) -> Project:
    """Three versions of a slice: the second has 4 % of rows changed, and the third is the second."""
    place, root = home / "metastore.sqlite", str(home / "landing")
    select = ROW.format(rows=rows)
    changed = f"select * replace (case when id % 25 = 0 then -1 else a end as a) from ({select})"
    with engine(home, root) as connection, SQLiteMetastore(place) as metastore:
        described = connection.execute(f"describe {select}").fetchall()
        for number, sql in enumerate((select, changed, changed), start=1):
            location = f"{root}/analytics/t/v{number}/ds={DS}"
            Path(location).mkdir(parents=True)
            copy_to_parquet(connection, sql, f"{location}/part-00.parquet")
            size = Path(location, "part-00.parquet").stat().st_size
            more = {
                "columns": json.dumps([[name, kind] for name, kind, *_ in described]),
                "parts": '["part-00.parquet"]',
                "sizes": json.dumps([size]),
                AUDIT_LOGIC: AUDITS,
                FINGERPRINT: Fingerprint("benchmark", str(min(number, 2)), {}).to_text(),
            }
            receipt = Receipt(rows=rows, bytes=size, files=1, more=more)
            metastore.publish(Version(Slice(TABLE, DS), f"v{number}", receipt, location))
    target = Target("local", "duckdb", "dayslice", "analytics", home, root, home / "dayslice.duckdb", None)
    node = TableNode("model.b.t", TABLE, False, TableSettings(), {}, "t.sql", "t.yml", "", {}, (), None, ("id",))
    return Project(home, target, Dbt(home), {}, {"model.b.t": node}, ZoneInfo("UTC"))


def by_hand(project: Project) -> None:
    """What one would write: counts of rows on one side only, of rows that differ, and of each column."""
    a, b = (f"read_parquet('{project.target.warehouse}/analytics/t/v{n}/ds={DS}/*.parquet')" for n in (1, 2))
    differ = [f"a.{c} is distinct from b.{c}" for c in COLUMNS]
    both = "a.id is not null and b.id is not null"
    counts = [f"count(*) filter (where {both} and {each})" for each in (f"({' or '.join(differ)})", *differ)]
    with engine(project.target.home, project.target.warehouse) as connection:
        connection.execute(
            "select count(*) filter (where a.id is null), count(*) filter (where b.id is null), "
            f"{', '.join(counts)} from {a} as a full join {b} as b on a.id = b.id"
        ).fetchall()


def best(call: Callable[[], object]) -> float:
    """Seconds of the best of three calls."""
    found = []
    for _ in range(3):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return min(found)


if __name__ == "__main__":
    main()
