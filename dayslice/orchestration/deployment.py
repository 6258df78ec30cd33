"""Deployments: what Airflow runs from. A copy of the dbt project, its parsed manifest, and the index of its DAGs.

They lie in `<home>/deployed/<target>/<id>/`, and the link `current` names the one that is served. A project that does
not parse never becomes it: what was deployed last goes on, and `failed.json` beside it says what was wrong.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from dayslice.engines.target import Target, home_kept, home_of, load_target, profile_of
from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore.choice import MetastorePlace, place_of
from dayslice.orchestration.dag_check import check_dags
from dayslice.orchestration.dag_groups import FIRST, file_of, lay_group_files
from dayslice.orchestration.dag_index import IndexedTable, index_tables, pools_of
from dayslice.orchestration.places import DAGS, dag_files, folder_of
from dayslice.rules.graph import Node
from dayslice.rules.meetings import made_in, refuse_meetings
from dayslice.rules.settings import SettingError
from dayslice.rules.yaml_lines import line_of_key
from dayslice.runner.manifest_parts import MACROS, ManifestParts, part_file
from dayslice.runner.project import Project, parse_project
from dayslice.runner.project_files import project_paths
from dayslice.store.directory import write_whole

STAGING = "staging"
PRODUCTION = "trino"
KEPT = 5
# What a damaged or half-written file comes to when it is read.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
INDEX = "index.json"
FAILED = "failed.json"
CURRENT = "current"
# The manifest in parts, one a table, as runs read it; and whole, as other programs and dbt's defer do.
PARTS = "parts"
MANIFEST = Path("target") / "manifest.json"
# Production's, in a deployment of staging: a copy, as a node that runs tasks may have no other deployment.
STATE = Path("production") / "manifest.json"
# dbt's own, of its next parse.
PARSED = Path("target") / "partial_parse.msgpack"
# What every run needs, beside its part of the manifest.
WHOLE = ("dbt_project.yml", "profiles.yml", str(MANIFEST))


@dataclass(frozen=True)
class Deployment:
    """A deployment as a DAG file or a task reads it. `project` is a folder that dbt can run in."""

    id: str
    project: Path
    home: Path
    target: str
    profile: str
    time_zone: ZoneInfo
    metastore: MetastorePlace
    pools: Mapping[str, int]
    entries: Mapping[str, Mapping[str, Any]]
    """The index's entry of each DAG id, as JSON."""
    state: str | None = None
    """Of staging: the folder of production's manifest as it was then, for dbt's defer."""

    def table(self, dag_id: str) -> IndexedTable:
        """The table of a DAG. Raises DaysliceError for one that is not deployed."""
        if dag_id not in self.entries:
            raise DaysliceError(f"there is no table {dag_id!r} in the deployment {self.id} of target {self.target}")
        return IndexedTable.from_json(self.entries[dag_id])

    @property
    def parts(self) -> Path:
        """The folder of the parts of the manifest that runs are made from."""
        return self.project / PARTS


def read_deployment(home: Path, target: str, dag_id: str | None = None) -> Deployment:
    """The deployment that is served; where it is not whole, the newest that is. Raises DaysliceError for none.

    `dag_id`: for this DAG only, as in a task's process.
    """
    folder = folder_of(home, target)
    others = sorted((each for each in folder.glob("v*") if (each / INDEX).is_file()), reverse=True)
    for project in ((folder / CURRENT), *others):
        with contextlib.suppress(*UNREADABLE):
            return _read(project.resolve(), home, dag_id)
    raise DaysliceError(f"nothing is deployed for target {target} in {folder}: run dayslice airflow deploy")


def lay_dag_files(home: Path, target: str, again: str | None = None) -> None:
    """Put Airflow's DAG files of a target in place: it reads a file again when it has changed, and else hardly ever.

    New are those of what changed, the one of the DAG `again`, and the one that says why the last deployment failed.
    """
    folder = folder_of(home, target) / DAGS
    folder.mkdir(parents=True, exist_ok=True)
    entries: Mapping[str, Mapping[str, Any]] = {}
    common: dict[str, Any] = {}
    with contextlib.suppress(DaysliceError):  # nothing is deployed: the first file says so
        served = read_deployment(home, target)
        entries, common = served.entries, {"zone": served.time_zone.key, "metastore": asdict(served.metastore)}
    for source in dag_files().glob("*.py"):
        if source.name == FIRST:
            lay_group_files(folder, source.read_text(), entries, common)
        else:
            write_whole(folder / source.name, source.read_bytes())
    if again is not None:
        os.utime(file_of(again, folder))


def failure_of(home: Path, target: str) -> str | None:
    """Why the last deployment did not come about, or cannot be read; None if all is well."""
    folder = folder_of(home, target)
    try:
        failed: str = orjson.loads((folder / FAILED).read_bytes())["error"]
        return failed
    except FileNotFoundError:
        pass
    except UNREADABLE:
        return f"{folder / FAILED} cannot be read: run dayslice airflow deploy again"
    try:
        _read((folder / CURRENT).resolve(), home)
    except UNREADABLE as error:
        return (
            f"the deployment {folder / CURRENT} cannot be read ({type(error).__name__}: {error}); "
            "the newest one that can be is served: run dayslice airflow deploy"
        )
    return None


def check(
    root: Path,
    target: str | None = None,
    only: Callable[[Project], Collection[str] | None] = lambda project: None,
    original: Path | None = None,
) -> tuple[Project, list[IndexedTable]]:
    """Parse the project and make the index, in memory. Raises UsageError with file and line for what is wrong.

    `only`: the tables (unique_ids) whose DAGs Airflow is asked about; None for all. `original`: what `root`
    is a copy of.
    """
    try:
        project = parse_project(root, target)
        refuse_meetings(made_in(project.graph))
        tables = index_tables(project, _production_nodes(project))
        chosen = only(project)
        looked_at = [each for each in tables if chosen is None or each.unique_id in chosen]
        check_dags(looked_at, project.time_zone.key, original or root)
        return project, tables
    except SettingError as error:
        file, _, table = error.where.partition(": ")
        line = line_of_key(root / file, table, error.key)
        raise UsageError(str(error).replace(file, f"{file}:{line}", 1) if line else str(error)) from None


def deploy(root: Path, target: str | None = None) -> Deployment:
    """Put the project in place for Airflow, in one step, if it is whole. Else what was deployed stays.

    Raises UsageError for what a person wrote wrong; the same is recorded for Airflow to show.
    """
    given = load_target(root, target)
    home, folder = home_of(root), folder_of(home_of(root), given.name)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"v{datetime.now(UTC):%Y%m%d%H%M%S%f}_{secrets.token_hex(3)}"
    try:
        for copied in project_paths(root):
            _copy(root / copied, made / copied)
        _begin_with_the_last_parse(folder / CURRENT, made)
        with home_kept(home):
            _write_index(made, given, root)
    except DaysliceError as error:
        shutil.rmtree(made, ignore_errors=True)
        # The person's own file is the one to name, not our copy of it.
        message = str(error).replace(f"{made}{os.sep}", "")
        _write(folder / FAILED, {"error": message, "at": datetime.now(UTC).isoformat()})
        lay_dag_files(home, given.name)
        raise UsageError(message) from None
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    _point(folder / CURRENT, made.name)
    (folder / FAILED).unlink(missing_ok=True)
    lay_dag_files(home, given.name)
    _remove_old(folder, made.name)
    return read_deployment(home, given.name)


def _begin_with_the_last_parse(current: Path, made: Path) -> None:
    """Let dbt parse only the files that changed since the last deployment, as it does in a person's own folder."""
    if (current / PARSED).is_file():
        (made / PARSED).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(current / PARSED, made / PARSED)


def _write_index(made: Path, given: Target, root: Path) -> None:
    project, tables = check(made, given.name, original=root)
    if (project.target.warehouse, project.target.database_file) != (given.warehouse, given.database_file):
        raise UsageError(
            f"target {given.name}: {given.warehouse} is given relative to the project, and Airflow runs a copy of it: "
            "give DAYSLICE_WAREHOUSE as an absolute path, or s3://…"
        )
    manifest = project.dbt.manifest
    manifest.write(str(made / MANIFEST))
    parts = ManifestParts(manifest, made / PARTS)
    parts.write_macros()
    for table in tables:
        if nodes := (*table.nodes, *table.follower_nodes):
            parts.write(table.dag_id, nodes)
    entries = {table.dag_id: table for table in tables}
    whole = list(map(Path, WHOLE))
    if project.target.name == STAGING and (production := _production(project.target.home)):
        whole.append(STATE)
        (made / STATE).parent.mkdir()
        shutil.copy2(production / MANIFEST, made / STATE)
    content: dict[str, Any] = {
        "id": made.name,
        "target": project.target.name,
        "profile": profile_of(made),
        "time_zone": project.time_zone.key,
        "metastore": asdict(place_of(project.target)),
        "pools": pools_of(tables),
        "state": str(STATE.parent) if STATE in whole else None,
        "tables": entries,
        "sizes": {str(each): (made / each).stat().st_size for each in (*whole, *parts.files())},
    }
    _write(made / INDEX, content)


def _read(project: Path, home: Path, dag_id: str | None = None) -> Deployment:
    index = orjson.loads((project / INDEX).read_bytes())
    own = {str(part_file(Path(PARTS), each)) for each in (dag_id or "", MACROS)}
    for name, size in index["sizes"].items():
        needed = dag_id is None or not name.startswith(f"{PARTS}{os.sep}") or name in own
        if needed and (project / name).stat().st_size != size:
            raise OSError(f"{project / name} is not whole")
    return Deployment(
        id=index["id"],
        project=project,
        home=home,
        target=index["target"],
        profile=index["profile"],
        time_zone=ZoneInfo(index["time_zone"]),
        metastore=MetastorePlace(**index["metastore"]),
        pools=index["pools"],
        entries=index["tables"],
        state=str(project / index["state"]) if index["state"] else None,
    )


def _production(home: Path) -> Path | None:
    """Production's deployment, where it is on this machine."""
    current = folder_of(home, PRODUCTION) / CURRENT
    return current.resolve() if (current / MANIFEST).is_file() else None


def _production_nodes(project: Project) -> Mapping[str, Node] | None:
    """The nodes that production has; None for a target that is not staging."""
    if project.target.name != STAGING:
        return None
    production = _production(project.target.home)
    if production is None:
        raise UsageError(
            "staging reads what production has, and nothing is deployed for production here: "
            f"run dayslice airflow deploy --target {PRODUCTION} first"
        )
    manifest = orjson.loads((production / MANIFEST).read_bytes())
    return {**manifest["nodes"], **manifest["sources"]}


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    else:
        shutil.copy2(source, to)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, orjson.dumps(content))


def _point(link: Path, to: str) -> None:
    new = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    new.symlink_to(to)
    new.replace(link)


def _remove_old(folder: Path, current: str) -> None:
    """All but the newest: a task that began before this deployment may still run from the one before."""
    for each in sorted((each for each in folder.glob("v*") if each.name < current), reverse=True)[KEPT - 1 :]:
        shutil.rmtree(each, ignore_errors=True)
