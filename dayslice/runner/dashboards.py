"""The project's dashboards in a running Superset: put as the files say, and written back as the browser left them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from dayslice.errors import DaysliceError, UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.dashboard_checks import DashboardFiles, check_columns, check_dashboards
from dayslice.rules.dashboards import (
    Document,
    chart_from_superset,
    charts_placed,
    dashboard_from_superset,
    own_uuid,
    uuid_of,
)
from dayslice.rules.datasets import Dataset, datasets_of
from dayslice.rules.receipts import published_at
from dayslice.rules.slices import Table
from dayslice.runner.project import Project
from dayslice.services.superset.bundle import (
    as_request,
    fingerprint,
    make_bundle,
    read_dashboards,
    slices_of,
    tables_told,
)
from dayslice.services.superset.instance import Settings, SupersetInstance

# Of each table, the newest: what a chart of freshness shows.
SLICES_TOLD = 100


@dataclass(frozen=True)
class Deployed:
    """What stands in Superset, by kind; `unchanged` if it stood already."""

    stand: dict[str, int]
    removed: dict[str, int]
    unchanged: bool = False


def check_files(project: Project, with_exposures: bool = True) -> DashboardFiles:
    """The dashboards' files, checked against the graph. Raises UsageError that names each fault."""
    files = read_dashboards(project.root)
    exposures = exposures_of(project.graph) if with_exposures and files.dashboards else None
    check_dashboards(files, project.tables.values(), exposures)
    return files


def exposures_of(graph: Any) -> dict[str, list[str]]:
    """The exposures of dbt's graph, each with what it says it reads."""
    return {each["name"]: list(each["depends_on"]["nodes"]) for each in graph["exposures"].values()}


def deploy(project: Project, instance: SupersetInstance, again: bool = False) -> Deployed:
    """Put the project's datasets, charts and dashboards into a running Superset.

    Skipped where the same was put already, unless `again`. Raises DaysliceError where not all of it stands.
    """
    files = check_files(project, with_exposures=False)
    datasets = datasets_of(project.tables.values())
    bundle = make_bundle(project.target, instance.home, instance.settings or Settings(), datasets, files)
    stamp = instance.home / "deployed.json"
    before = json.loads(stamp.read_text()) if stamp.exists() else {}
    wanted = hashlib.sha256((fingerprint(bundle) + instance.database).encode()).hexdigest()
    if before.get("bundle") == wanted and not again:
        return Deployed(before["stand"], {}, unchanged=True)
    tables = tables_told(datasets.values(), str(project.time_zone))
    request = as_request(bundle, before.get("uuids", {}))
    told = {
        "slices": _slices(project, datasets.values()),
        "tables": tables,
        "readers": str(project.target.database_file or ""),
    }
    done = instance.ask({**request, **told})
    lacking = [f"{each} of {kind}" for kind, each in _lacking(done).items()]
    if lacking:
        raise DaysliceError(f"Superset passed over {', '.join(lacking)}: its log says why: {instance.service().log}")
    stamp.write_text(json.dumps({"bundle": wanted, "uuids": bundle.uuids, "stand": done["stand"]}))
    names = {uuid_of("dataset", name): name for name in datasets}
    check_columns(files, {names[each]: columns for each, columns in done["columns"].items() if columns})
    return Deployed(done["stand"], done["removed"])


def export(project: Project, instance: SupersetInstance) -> list[Path]:
    """Write what the browser changed back into `dashboards/`: the files that differ now, and new ones.

    Taken are charts and dashboards that have a file, dashboards that somebody published there, and what is on them;
    not what people try for themselves, nor what stands on other datasets than the project's.
    """
    exported = {name: yaml.safe_load(text) for name, text in instance.ask({"do": "read"}).items()}
    datasets = {uuid_of("dataset", name): name for name in datasets_of(project.tables.values())}
    before = read_dashboards(project.root)
    ours = {str(each["uuid"]): each for each in _of_kind(exported, "charts") if str(each["dataset_uuid"]) in datasets}
    boards = {own_uuid("dashboard", name, each): name for name, each in before.dashboards.items()}
    taken = [
        each
        for each in _of_kind(exported, "dashboards")
        if (str(each["uuid"]) in boards or each.get("published")) and charts_placed(each) <= ours.keys()
    ]
    known = {own_uuid("chart", name, each): name for name, each in before.charts.items()}
    wanted = known.keys() | set().union(*map(charts_placed, taken))
    names = {
        own: known.get(own) or _file_name(each["slice_name"], before.charts)
        for own, each in ours.items()
        if own in wanted
    }
    files: dict[str, Document] = {
        f"dashboards/charts/{name}.yaml": chart_from_superset(name, ours[own], datasets[str(ours[own]["dataset_uuid"])])
        for own, name in names.items()
    }
    for each in taken:
        title = each.get("slug") or each["dashboard_title"]
        name = boards.get(str(each["uuid"])) or _file_name(title, before.dashboards)
        files[f"dashboards/{name}.yaml"] = dashboard_from_superset(name, each, names, datasets)
    written = [_write(project.root, name, document) for name, document in files.items()]
    return [file for file in written if file is not None]


def _of_kind(exported: dict[str, Document], kind: str) -> list[Document]:
    return [each for name, each in exported.items() if name.startswith(f"{kind}/")]


def _file_name(title: str, taken: Iterable[str]) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    name = "_".join(words) or "untitled"
    if name in taken:
        raise UsageError(
            f"dashboards/: {title!r} was made in the browser, and {name}.yaml is another's: rename it there"
        )
    return name


def _write(root: Path, name: str, document: Document) -> Path | None:
    """Write a file if its content differs. Comments and quotes of a file that says the same stay as they are."""
    file = root / name
    if file.exists() and yaml.safe_load(file.read_text(encoding="utf-8")) == document:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dump(document), encoding="utf-8")
    return file


def dump(document: Document) -> str:
    """A document as its file has it: in its own order, in lines that a diff shows well."""
    return yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120)


class Plain(yaml.SafeDumper):
    """Writes out what stands in two places twice: a name for it would be another at the next change."""

    def ignore_aliases(self, data: Any) -> bool:
        """No value is an alias."""
        return True


def _slices(project: Project, datasets: Iterable[Dataset]) -> list[dict[str, Any]]:
    """The newest slices of every table, from the metastore."""
    found: dict[Table, list[tuple[str, str, int]]] = {}
    with open_metastore(project.target) as metastore:
        for node in (each.table for each in datasets if each.table):
            newest = list(islice(reversed(metastore.published_ds(node.table)), SLICES_TOLD))
            versions = metastore.published(node.table, newest) if newest else {}
            found[node.table] = [(ds, published_at(each.receipt), each.receipt.rows) for ds, each in versions.items()]
    return slices_of(found)


def _lacking(done: dict[str, Any]) -> dict[str, int]:
    asked, stand = done["asked"], done["stand"]
    return {kind: asked[kind] - stand[kind] for kind in asked if asked[kind] != stand[kind]}
