"""A table in production within an hour: what a newcomer types, from an empty folder to a DAG, and its minutes.

In CI, or where DAYSLICE_COLD_STARTS is set, each program starts as a newcomer's does, and the minutes are told and
held to; elsewhere they start warm, which is a third of the work, and what they cost is nobody's figure.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.warm.programs import path_with_programs

MINUTES = 3
COLD = bool(os.environ.get("CI") or os.environ.get("DAYSLICE_COLD_STARTS"))
SELECT = """
select
    o.country,
    o.product,
    count(*) as orders,
    cast(sum(o.quantity * o.unit_price) as decimal(18, 2)) as revenue
from {{ source('shop', 'orders') }} as o
group by
    o.country,
    o.product
"""
COLUMNS = """
      - name: country
        description: Where it is sent, as two letters.
      - name: product
        description: What was ordered.
      - name: orders
        description: How many orders.
      - name: revenue
        description: What they cost together, in the shop's currency.
"""


class Newcomer:
    """Types commands in a folder, and knows what they cost."""

    def __init__(self, folder: Path):
        self.folder = folder
        known = {name: value for name, value in os.environ.items() if not name.startswith(("DAYSLICE_", "DBT_"))}
        cold = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**known, "PATH": cold if COLD else path_with_programs()}
        self.steps: list[tuple[str, float, float]] = []

    def types(self, command: str, code: int = 0) -> str:
        """Run a command; what it said."""
        began, before = time.monotonic(), cpu()
        done = subprocess.run(
            command.split(), cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        self.steps.append((command, time.monotonic() - began, cpu() - before))
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def cpu() -> float:
    """Seconds of computing of all ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def newcomer():
    # Not in pytest's own folder, which is closed to the user that PostgreSQL runs as where we are root.
    with TemporaryDirectory(prefix="dayslice-hour-", ignore_cleanup_errors=True) as folder:
        yield Newcomer(Path(folder))


def test_a_table_is_in_production_within_an_hour(newcomer, record_property):
    newcomer.types("dayslice init shop_warehouse")
    newcomer.folder /= "shop_warehouse"
    newcomer.types("dayslice import shop.orders --ds 2024-01-05")
    newcomer.types("dayslice new country_sales --from shop.orders --folder sales --owner sales-team")
    assert newcomer.types("dayslice check", code=2) == "", "what only a person knows is open"
    place = newcomer.folder / "models" / "sales"
    (place / "country_sales.sql").write_text(SELECT.lstrip())
    head, _, rest = (place / "country_sales.yml").read_text().partition("    columns: &columns\n")
    tail = rest[rest.index("\n  - name: country_sales_latest") :]
    described = head.replace("'TODO: one row per …'", "One row per country and product that was sold in the ds.")
    assert described != head
    (place / "country_sales.yml").write_text(f"{described}    columns: &columns{COLUMNS}{tail}")
    assert "all of them can be deployed" in newcomer.types("dayslice check")
    newcomer.types("dayslice build --target trial --ds 2024-01-05 --select country_sales+")
    newcomer.types("dayslice build --ds 2024-01-05 --select country_sales+")
    said = newcomer.types("dayslice diff country_sales 2024-01-05 trial:local")
    assert "the same, by their fingerprints" in said
    newcomer.types("dayslice backfill --from 2024-01-01 --to 2024-01-30 --select shop.orders country_sales+")
    status = json.loads(newcomer.types("dayslice status --select country_sales --json"))
    assert status
    rows = json.loads(newcomer.types("dayslice history country_sales 2024-01-30 --json"))
    assert rows[0]["published"]
    newcomer.types("dayslice airflow deploy")
    (index,) = (newcomer.folder / "warehouse").rglob("current/index.json")
    assert "country_sales" in json.loads(index.read_text())["tables"]
    if not COLD:
        return
    wall, computed = (sum(step[n] for step in newcomer.steps) for n in (1, 2))
    steps = [f"{seconds:6.1f} s, {used:5.1f} s of computing  {command}\n" for command, seconds, used in newcomer.steps]
    record_property("said", f"{''.join(steps)}{wall / 60:.1f} minutes, {computed / 60:.1f} of computing")
    assert computed < MINUTES * 60
