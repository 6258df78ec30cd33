"""A change under review: the project of a Git revision beside today's, and what the change costs."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from dayslice.engines.target import home_kept, home_of
from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.graph import TableNode
from dayslice.rules.review import NOTE, Finding, Tree
from dayslice.rules.slices import Receipt
from dayslice.rules.stale import readers_of
from dayslice.rules.yaml_lines import line_of_key
from dayslice.runner.project import Project, load_project

FOLDER = Path("target") / "dayslice" / "against"
KEPT = 3
# Newest slices whose receipts say what one costs.
MEASURED = 14


def project_of(root: Path, revision: str, target: str | None) -> Project:
    """The project as a Git revision has it, parsed; kept by its content, so that it is parsed once."""
    tree = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}:./").decode().strip()
    if not tree:
        raise UsageError(f"--against {revision}: Git has no such revision with this project in it: git fetch it first")
    place = root / FOLDER / tree
    if not (place / "dbt_project.yml").is_file():
        new = place.with_name(f".{tree}.{os.getpid()}")
        shutil.rmtree(new, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(_git(root, "archive", tree))) as packed:
            packed.extractall(new, filter="data")
        _carry(root, new)
        new.replace(place)
    os.utime(place)
    _remove_old(place.parent)
    try:
        with home_kept(home_of(root)):
            return load_project(place, target)
    except UsageError as error:
        raise UsageError(f"--against {revision}: the project is wrong there already: {error}") from None


def tree_of(project: Project) -> Tree:
    """What `review` compares of a project."""
    root = project.root
    code = {unique_id: (root / node.path).read_text(encoding="utf-8") for unique_id, node in project.tables.items()}
    dialect = "duckdb" if project.target.is_local else "trino"
    logic = {unique_id: (hashes[0], hashes[1]) for unique_id, hashes in project.logic.items()}
    return Tree(
        project.tables,
        logic,
        code,
        dialect,
        project.time_zone,
        lambda file, table, key: line_of_key(root / file, table, key) or 1,
    )


def costs(project: Project, tables: Iterable[TableNode]) -> Iterator[Finding]:
    """The past ds that stand on other logic than the tables have now, and what it takes to make them again."""
    nodes = list(tables)
    if not nodes or (project.target.is_local and not project.target.metastore_file.is_file()):
        return
    try:
        with open_metastore(project.target) as metastore:
            for node in nodes:
                slices = metastore.published_ds(node.table)
                if slices:
                    seen = metastore.published(node.table, slices[-MEASURED:]).values()
                    yield _cost(project, node, slices, [each.receipt for each in seen])
    except (DaysliceError, OSError) as error:
        yield Finding(NOTE, nodes[0].name, nodes[0].path, 1, f"the metastore was not asked what stands: {error}")


def _cost(project: Project, node: TableNode, slices: list[str], receipts: Sequence[Receipt]) -> Finding:
    took = [_seconds(each.started, each.finished) for each in receipts]
    each = sum(took) / len(took)
    readers = readers_of(project.tables, [node.unique_id])
    after = f", and {len(readers)} tables read it" if readers else ""
    size = sum(receipt.bytes for receipt in receipts) / len(receipts) * len(slices)
    return Finding(
        NOTE,
        node.name,
        node.path,
        1,
        f"{len(slices)} slices stand on the logic of before ({slices[0]} to {slices[-1]}){after}; to make them again "
        f"takes about {_time(each * len(slices))} of computing ({each:.1f} s a slice) and {size / 1e6:,.0f} MB",
        f"dayslice backfill --stale --select {node.name}+ --from {slices[0]} --to {slices[-1]}",
    )


def _seconds(started: str, finished: str) -> float:
    try:
        return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    except ValueError:
        return 0.0


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _git(root: Path, *command: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *command], capture_output=True, check=False)
    except OSError:
        raise UsageError("--against needs Git, and there is none here") from None
    if done.returncode and "rev-parse" not in command:
        raise DaysliceError(f"git {' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout if not done.returncode else b""


def _carry(root: Path, new: Path) -> None:
    """What a parse needs and Git may not have: packages, a profile that is not committed, dbt's own partial parse."""
    for name in ("profiles.yml", "dbt_packages"):
        if (root / name).exists() and not (new / name).exists():
            (new / name).symlink_to(root / name)
    parsed = root / "target" / "partial_parse.msgpack"
    if parsed.is_file():
        (new / "target").mkdir(exist_ok=True)
        shutil.copy2(parsed, new / "target")


def _remove_old(folder: Path) -> None:
    old = sorted((e for e in folder.iterdir() if not e.name.startswith(".")), key=lambda e: e.stat().st_mtime)
    for each in old[:-KEPT]:
        shutil.rmtree(each, ignore_errors=True)
