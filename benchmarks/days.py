"""A long run of days: what one costs at its beginning and at its end, of the demo and beside plain dbt-duckdb.

    python -m benchmarks.days [--days 365] [--without-demo] [--peer-days 60]

CPU seconds of this process a day, medians of the first and the last tenth: others may use the machine. The peer is one
daily model, here as slices and there as dbt-duckdb's own `delete+insert` on one DuckDB file, each in one process that
parses once.
"""

import argparse
import itertools
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dayslice.demo.dataset import FIRST
from dayslice.demo.replay import Listeners, demo_tables, make_replay, register, replay, replayed_days
from dayslice.demo.source import Source
from dayslice.metastore import readers_file
from dayslice.rules.calendar import span
from dayslice.runner.dbt_runs import Dbt
from dayslice.runner.project import load_project

ROOT = Path(__file__).parents[1]
MODEL = "select range as id, range * 1.5 as value, range % 7 as kind from range(20000)"
OURS = {
    "models/daily.sql": MODEL,
    "models/daily.yml": "models: [{name: daily, config: {meta: {slice: events}}}]",
}
PEER = {
    "dbt_project.yml": "name: peer\nprofile: peer\nmodels: {peer: {+materialized: incremental}}\n",
    "profiles.yml": "peer: {target: local, outputs: {local: {type: duckdb, path: peer.duckdb, threads: 4}}}\n",
    "models/daily.sql": "{{ config(incremental_strategy='delete+insert', unique_key='ds') }}\n"
    f"select *, '{{{{ env_var('DAYSLICE_DS', '') }}}}' as ds from ({MODEL})",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--peer-days", type=int, default=60)
    options.add_argument("--without-demo", action="store_true")
    chosen = options.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        if not chosen.without_demo:
            rows[f"the demo, {chosen.days} days"] = demo(Path(folder), chosen.days)
        days = span(FIRST, "2013-12-31")[: chosen.peer_days]
        rows["one model, slices"] = model(Path(folder) / "ours", OURS, days, own=True)
        rows["one model, dbt-duckdb's delete+insert"] = model(Path(folder) / "peer", PEER, days, own=False)
    shown = Table("CPU s a day", "days", "first tenth", "last tenth", "last to first", box=None)
    for title, seconds in rows.items():
        some = max(3, len(seconds) // 10)
        # The first day imports dbt's and DuckDB's code.
        first, last = statistics.median(seconds[1 : some + 1]), statistics.median(seconds[-some:])
        shown.add_row(title, str(len(seconds)), f"{first:.3f}", f"{last:.3f}", f"{last / first:.2f}")
    Console(width=110).print(shown)


def demo(folder: Path, days: int) -> list[float]:
    """A replay, in this process; PostgreSQL's own time is not in it."""
    # PostgreSQL runs as another user where this is started by root.
    folder.chmod(0o755)
    os.environ["DAYSLICE_HOME"] = str(folder / "home")
    project = load_project(ROOT)
    register(project.target.home)
    marks: list[float] = []
    with Source(project.target.home) as source:
        plan = make_replay(project, demo_tables(project), replayed_days(FIRST, days), source.newest())
        begun = lambda _: marks.append(time.process_time())  # noqa: E731
        outcomes = replay(project, source, plan, Listeners(begun, lambda _: None))
    marks.append(time.process_time())
    readers_file.finish()
    failed = [each for each in outcomes if each.failed]
    assert not failed, failed[:3]
    return [later - earlier for earlier, later in itertools.pairwise(marks)]


def model(root: Path, files: dict[str, str], days: list[str], own: bool) -> list[float]:
    """One model of a project, day by day."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    if own:
        for name in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / name, root / name)
        os.environ["DAYSLICE_HOME"] = str(root / "warehouse")
    dbt = Dbt(root)
    dbt.parse()
    seconds = []
    for ds in days:
        start = time.process_time()
        results = dbt.run(["run", "--select", "daily"], ds)
        assert not [each for each in results if each.failed], results
        seconds.append(time.process_time() - start)
    return seconds


if __name__ == "__main__":
    main()
