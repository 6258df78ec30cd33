"""Trivial SELECTs over many ds: what the runner costs a slice, beside dbt in a loop, dbt's microbatch and SQLMesh.

    python -m benchmarks.runner [--tables 500] [--days 30] [--jobs 1 2] [--grow 100 500 1000] [--peers …]
    python -m benchmarks.runner --tables 50 --days 5     # a quick one
    eval "$(dayslice stack env)"
    DAYSLICE_TARGET=trino python -m benchmarks.runner --tables 10 --days 4 --jobs 1 4 --peers

Each tool computes so many tables of one row, of which every tenth reads another one, from nothing: DuckDB, four threads
where a tool has them. The peers have environments of their own, made at the first run. CPU seconds are of the command
and its children, so that they say something on a busy machine too; a figure is printed when it is there. "all MiB" is
the memory of all its processes at once, what they share counted once.
"""

import argparse
from collections.abc import Callable
from functools import partial

from rich.console import Console

from benchmarks.measure import Measured
from benchmarks.runner.backfills import dbt_loop, environment, microbatch, own, own_again, sqlmesh

PEERS: dict[str, tuple[str, str, Callable[[int, int], Measured]]] = {
    "loop": ("dbt build --vars, a process a ds", "dbt", dbt_loop),
    "microbatch": ("dbt's microbatch, one process", "dbt", microbatch),
    "sqlmesh": ("sqlmesh plan, batch_size 1", "sqlmesh", sqlmesh),
}
CONSOLE = Console(width=130)


def main() -> None:
    """Measure, a line each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, default=500, help="how many tables (default 500)")
    options.add_argument("--days", type=int, default=30, help="how many ds (default 30)")
    options.add_argument("--jobs", type=int, nargs="*", default=[1, 2], help="in how many processes (default 1 2)")
    options.add_argument("--grow", type=int, nargs="*", default=[], metavar="TABLES", help="other sizes, with one job")
    options.add_argument("--grow-days", type=int, default=3, metavar="DAYS", help="their ds (default 3)")
    options.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="beside which (default: all)")
    options.add_argument("--peer-days", type=int, metavar="DAYS", help="fewer ds for the peers, and for ours beside")
    options.add_argument("--again", action="store_true", help="also the command where there is nothing to do")
    given = options.parse_args()
    peer_days = given.peer_days or given.days
    for name in given.peers:
        environment(PEERS[name][1])
    CONSOLE.print(
        f"{'':<46}{'slices':>8}{'wall s':>9}{'a slice':>9}{'CPU s':>9}{'a slice':>9}{'peak MiB':>10}{'all MiB':>9}"
    )
    for jobs in given.jobs:
        said(f"dayslice backfill --jobs {jobs}", given.tables, given.days, partial(own, jobs=jobs))
    if given.again:
        said("the same, nothing to do", given.tables, given.days, partial(own_again, jobs=max(given.jobs)))
    for tables in given.grow:
        said(f"dayslice backfill --jobs 1, {tables} tables", tables, given.grow_days, partial(own, jobs=1))
    if given.peers and peer_days != given.days:
        said(f"dayslice backfill --jobs 1, {peer_days} ds", given.tables, peer_days, partial(own, jobs=1))
    for name in given.peers:
        said(PEERS[name][0], given.tables, peer_days, PEERS[name][2])


def said(what: str, tables: int, days: int, how: Callable[[int, int], Measured]) -> None:
    """Measure, and print the line."""
    found, count = how(tables, days), tables * days
    wall, cpu = (f"{each:>9.1f}{each / count:>9.4f}" for each in (found.wall, found.cpu))
    CONSOLE.print(f"{what:<46}{count:>8}{wall}{cpu}{found.peak_mib:>10.0f}{found.all_mib:>9.0f}")


if __name__ == "__main__":
    main()
