"""What Superset is given: databases, datasets, charts and dashboards, as one bundle of its own files."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from dayslice.engines.target import Target
from dayslice.errors import UsageError
from dayslice.rules.dashboard_checks import DashboardFiles
from dayslice.rules.dashboards import DATABASE, VERSION, chart_to_superset, dashboard_to_superset, uuid_of
from dayslice.rules.datasets import SLICES_SCHEMA, Dataset
from dayslice.rules.slices import Table
from dayslice.services.private_file import write_private
from dayslice.services.superset.instance import Settings
from dayslice.store.duckdb_s3 import extension_file, secret_of
from dayslice.store.s3 import s3_client

TRINO_USER, TRINO_PASSWORD = "DAYSLICE_SUPERSET_TRINO_USER", "DAYSLICE_SUPERSET_TRINO_PASSWORD"
IMPERSONATE = "DAYSLICE_SUPERSET_IMPERSONATE"
# On Trino, what is known of slices is no table of the engine.
SLICES_DATABASE = f"{DATABASE} slices"


@dataclass(frozen=True)
class Bundle:
    """Files by name, and which schemas of which database analysts may read."""

    files: dict[str, str]
    schemas: dict[str, list[str]]

    @property
    def uuids(self) -> dict[str, list[str]]:
        """The ids of what it holds, by kind."""
        found: dict[str, list[str]] = {}
        for name, text in self.files.items():
            kind, slash, _ = name.partition("/")
            if slash:
                found.setdefault(kind, []).append(yaml.safe_load(text)["uuid"])
        return found


def read_dashboards(root: Path) -> DashboardFiles:
    """The files of `dashboards/`. Raises UsageError for what is no YAML."""
    folder = root / "dashboards"
    return DashboardFiles(
        {file.stem: _read(file, root) for file in sorted((folder / "charts").glob("*.yaml"))},
        {file.stem: _read(file, root) for file in sorted(folder.glob("*.yaml"))},
    )


def make_bundle(
    target: Target, home: Path, settings: Settings, datasets: Mapping[str, Dataset], files: DashboardFiles
) -> Bundle:
    """The bundle of a project."""
    databases = databases_of(target, home, settings)
    made: dict[str, Any] = {"metadata.yaml": {"version": VERSION, "type": "assets"}}
    for database in databases.values():
        made[f"databases/{database['uuid']}.yaml"] = database
    schemas: dict[str, set[str]] = {name: set() for name in databases}
    for dataset in datasets.values():
        name = SLICES_DATABASE if dataset.table is None and SLICES_DATABASE in databases else DATABASE
        schemas[name].add(dataset.schema)
        made[f"datasets/{name}/{dataset.name}.yaml"] = dataset_to_superset(dataset, databases[name]["uuid"])
    for name, chart in files.charts.items():
        made[f"charts/{name}.yaml"] = chart_to_superset(name, chart, uuid_of("dataset", chart["dataset"]))
    for name, dashboard in files.dashboards.items():
        made[f"dashboards/{name}.yaml"] = dashboard_to_superset(name, dashboard, files.charts)
    texts = {name: yaml.safe_dump(document, sort_keys=False) for name, document in made.items()}
    return Bundle(texts, {name: sorted(each) for name, each in schemas.items()})


def dataset_to_superset(dataset: Dataset, database_uuid: str) -> dict[str, Any]:
    """A dataset as Superset imports it; types and further columns it takes from the engine."""
    columns = [
        {
            "column_name": name,
            "description": words or None,
            "is_dttm": name == "ds",
            "filterable": True,
            "groupby": True,
        }
        | ({"python_date_format": dataset.ds_format} if name == "ds" else {})
        for name, words in dataset.columns.items()
    ]
    return {
        "table_name": dataset.relation,
        "schema": dataset.schema,
        "description": dataset.description,
        "main_dttm_col": dataset.time_column,
        "cache_timeout": dataset.cache_seconds,
        "params": {"ds_format": dataset.ds_format},
        "filter_select_enabled": True,
        "extra": None,
        "metrics": [{"metric_name": "count", "verbose_name": "Rows", "expression": "count(*)", "metric_type": "count"}],
        "columns": columns,
        "uuid": uuid_of("dataset", dataset.name),
        "database_uuid": database_uuid,
        "version": VERSION,
    }


def databases_of(target: Target, home: Path, settings: Settings) -> dict[str, dict[str, Any]]:
    """The databases of a target, by name. Nobody writes through any of them."""
    limits = {"memory": settings.memory, "seconds": str(settings.query_seconds), "slices": str(home / "slices.db")}
    if target.database_file is not None:
        if target.warehouse.startswith("s3://"):
            limits["s3"] = str(write_s3(home))
        uri = f"duckdb+dayslice:///{quote(str(target.database_file))}?{urlencode(limits)}"
        return {DATABASE: _database(DATABASE, uri)}
    slices = f"duckdb+dayslice:///?{urlencode(limits)}"
    return {DATABASE: _trino(target, settings), SLICES_DATABASE: _database(SLICES_DATABASE, slices)}


def write_s3(home: Path) -> Path:
    """What Superset needs to read files on S3: the extension of our DuckDB, which is the same, and keys. Mode 600."""
    told = {"extension": str(extension_file()), "secret": secret_of(s3_client())}
    write_private(home / "s3.json", json.dumps(told))
    return home / "s3.json"


def _trino(target: Target, settings: Settings) -> dict[str, Any]:
    credentials = target.credentials
    user = os.environ.get(TRINO_USER, "superset")
    password = os.environ.get(TRINO_PASSWORD)
    scheme = getattr(getattr(credentials, "http_scheme", None), "value", None) or "http"
    arguments: dict[str, Any] = {
        "http_scheme": scheme,
        "source": "superset",
        # Trino ends it by itself, whatever becomes of Superset.
        "session_properties": {"query_max_run_time": f"{settings.query_seconds}s"},
    }
    certificate = getattr(credentials, "cert", None)
    if certificate:
        arguments["verify"] = certificate
    login = quote(user) + (f":{quote(password, safe='')}" if password else "")
    uri = f"trino://{login}@{credentials.host}:{credentials.port}/{credentials.database}"
    database = _database(DATABASE, uri, {"connect_args": arguments})
    return {**database, "impersonate_user": os.environ.get(IMPERSONATE, "").lower() in ("1", "true", "yes")}


def _database(name: str, uri: str, engine: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "database_name": name,
        "sqlalchemy_uri": uri,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {
            "engine_params": dict(engine or {}),
            "metadata_params": {},
            # What a schema has may change with each publication.
            "metadata_cache_timeout": {"schema_cache_timeout": 60, "table_cache_timeout": 60},
            "allows_virtual_table_explore": True,
            "disable_data_preview": False,
        },
        "uuid": uuid_of("database", name),
        "version": VERSION,
    }


def slices_of(published: Mapping[Table, Iterable[tuple[str, str, int]]]) -> list[dict[str, Any]]:
    """What is published of each table (ds, when, rows), as Superset's home keeps it."""
    return [
        {"schema": table.schema, "table": table.name, "ds": ds, "published": sql_time(finished), "rows": rows}
        for table, versions in published.items()
        for ds, finished, rows in versions
    ]


def tables_told(datasets: Iterable[Dataset], time_zone: str) -> list[dict[str, Any]]:
    """What is needed to say, of each dataset, which ds it shows and when the next one is late."""
    return [
        {
            "uuid": uuid_of("dataset", each.name),
            "schema": each.table.table.schema if each.table else SLICES_SCHEMA,
            "table": each.table.table.name if each.table else each.relation,
            "owner": each.owner,
            "grain": each.table.settings.grain.value if each.table else "day",
            "late_after_seconds": each.late_after_seconds,
            "time_zone": time_zone,
        }
        for each in datasets
    ]


def sql_time(moment: str) -> str:
    """A receipt's time, as SQL writes it, to the second."""
    return moment[:19].replace("T", " ")


def as_request(bundle: Bundle, before: Mapping[str, list[str]]) -> dict[str, Any]:
    """The bundle as a running Superset is asked to put it; `before` are the ids of the one that was put last."""
    now = bundle.uuids
    removed = {kind: sorted(set(uuids) - set(now.get(kind, ()))) for kind, uuids in before.items()}
    return {"do": "put", "files": bundle.files, "schemas": bundle.schemas, "removed": removed}


def _read(file: Path, root: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{file.relative_to(root)}: this is no YAML: {' '.join(str(error).split())}") from None
    return read


def fingerprint(bundle: Bundle) -> str:
    """A text that differs when the bundle does."""
    return json.dumps([bundle.files, bundle.schemas], sort_keys=True)
