"""One backfill of the trivial tables, by each tool, from nothing: what it took."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.measure import Measured, measure
from benchmarks.runner.projects import FIRST, ROOT, write_dbt, write_microbatch, write_own, write_sqlmesh

BIN = Path(sys.executable).parent
# Where the peers' environments lie: git ignores it, and `make clean` takes it away.
PEERS = ROOT / "target" / "peers"
QUIET = {"DO_NOT_TRACK": "1", "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true"}


def own(tables: int, days: int, jobs: int) -> Measured:
    """`dayslice backfill`, the project parsed before."""
    with _own_project(tables) as (root, env):
        return measure(_backfill(days, jobs), root, env, forks=True)


def own_again(tables: int, days: int, jobs: int) -> Measured:
    """The same command where all of it stands."""
    with _own_project(tables) as (root, env):
        measure(_backfill(days, jobs), root, env)
        return measure(_backfill(days, 1), root, env, forks=True)


def dbt_loop(tables: int, days: int) -> Measured:
    """`dbt build --vars 'ds: …'`, a process a ds."""
    with _folder() as (root, env):
        write_dbt(root, tables)
        dbt = str(environment("dbt") / "dbt")
        runs = [
            measure([dbt, "build", "--vars", f"ds: {_day(number)}"], root, env, forks=True) for number in range(days)
        ]
    wall, cpu = sum(each.wall for each in runs), sum(each.cpu for each in runs)
    return Measured(wall, cpu, max(each.peak_mib for each in runs), max(each.all_mib for each in runs))


def microbatch(tables: int, days: int) -> Measured:
    """dbt's microbatch, the project parsed before."""
    with _folder() as (root, env):
        write_microbatch(root, tables)
        dbt = str(environment("dbt") / "dbt")
        measure([dbt, "parse"], root, env)
        span = ["--event-time-start", _day(0), "--event-time-end", _day(days)]
        return measure([dbt, "build", *span], root, env, forks=True)


def sqlmesh(tables: int, days: int) -> Measured:
    """`sqlmesh plan`, which loads the models and backfills them."""
    with _folder() as (root, env):
        write_sqlmesh(root, tables, days)
        command = [str(environment("sqlmesh") / "sqlmesh"), "plan", "--auto-apply", "--no-prompts", "--no-diff"]
        return measure(command, root, env, forks=True)


def environment(peer: str) -> Path:
    """The programs of a peer's environment, which is made where it is not there: pinned, wheels only."""
    place, pinned = PEERS / peer, Path(__file__).parent / "peers" / f"{peer}.txt"
    stamp = place / "made-of.txt"
    if not stamp.exists() or stamp.read_text() != pinned.read_text():
        uv, python = str(BIN / "uv"), ["--python", str(place / "bin" / "python")]
        made = [uv, "venv", "--quiet", "--clear", "--no-python-downloads", "--python", sys.executable, str(place)]
        subprocess.run(made, check=True)
        wheels = ["--only-binary", ":all:", "--require-hashes", "--compile-bytecode", "-r", str(pinned)]
        subprocess.run([uv, "pip", "install", "--quiet", *python, *wheels], check=True)
        stamp.write_text(pinned.read_text())
    return place / "bin"


def _backfill(days: int, jobs: int) -> list[str]:
    return [str(BIN / "dayslice"), "backfill", "--from", _day(0), "--to", _day(days - 1), "--jobs", str(jobs), "--json"]


@contextmanager
def _own_project(tables: int) -> Iterator[tuple[Path, dict[str, str]]]:
    with _folder() as (root, env):
        # A schema of its own: on Trino nothing is taken away again.
        write_own(root, tables, f"bench_{secrets.token_hex(4)}")
        env["DAYSLICE_HOME"] = str(root / "warehouse")
        measure([str(BIN / "dayslice"), "plan", "--from", _day(0), "--to", _day(0)], root, env, good=(3,))
        yield root, env


@contextmanager
def _folder() -> Iterator[tuple[Path, dict[str, str]]]:
    root = Path(tempfile.mkdtemp(prefix="runner-"))
    try:
        yield root, {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | QUIET
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()
