"""Databases, datasets, charts and dashboards: put as a bundle says, and read back."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import yaml
from flask import g
from superset import security_manager
from superset.commands.export.assets import ExportAssetsCommand
from superset.commands.importers.v1.assets import ImportAssetsCommand
from superset.connectors.sqla.models import SqlaTable
from superset.extensions import db
from superset.models.core import Database
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from dayslice_superset.roles import SERVICE, grant_schemas

log = logging.getLogger(__name__)
KINDS = {"databases": Database, "datasets": SqlaTable, "charts": Slice, "dashboards": Dashboard}


def put(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Make what a bundle of files says, and take away what an earlier one said and this one does not.

    Gives how many of each kind were asked for and how many stand, as Superset passes over files that it does not like.
    """
    files: dict[str, str] = bundle["files"]
    with as_service():
        make_room(files)
        ImportAssetsCommand(dict(files)).run()
        described = {str(each["uuid"]): each for each in _parsed(files, "datasets/")}
        for dataset in db.session.query(SqlaTable).filter(SqlaTable.uuid.in_(list(map(UUID, described)))):
            discover_columns(dataset, described[str(dataset.uuid)])
        db.session.commit()
        removed = remove({kind: list(uuids) for kind, uuids in bundle["removed"].items()})
        grant_schemas(bundle["schemas"])
        columns = {
            str(each.uuid): [column.column_name for column in each.columns]
            for each in db.session.query(SqlaTable).filter(SqlaTable.uuid.in_(list(map(UUID, described))))
        }
    return {"asked": asked(files), "stand": standing(files), "removed": removed, "columns": columns}


def make_room(files: Mapping[str, str]) -> None:
    """Take away datasets that are to stand in another database now: Superset would make each a second time.

    Nothing is committed here: readers see them go and come at once, as the import commits.
    """
    databases = {str(each["uuid"]): str(each["database_uuid"]) for each in _parsed(files, "datasets/")}
    for dataset in db.session.query(SqlaTable).filter(SqlaTable.uuid.in_(list(map(UUID, databases)))):
        if str(dataset.database.uuid) != databases[str(dataset.uuid)]:
            db.session.delete(dataset)
    db.session.flush()


def discover_columns(dataset: SqlaTable, described: Mapping[str, Any]) -> None:
    """Take the columns that the engine has, with the descriptions of the dbt project."""
    if not take_types(dataset):
        return
    words = {each["column_name"]: each.get("description") for each in described["columns"]}
    for column in dataset.columns:
        column.description = words.get(column.column_name) or column.description


def take_types(dataset: SqlaTable) -> bool:
    """Take columns and types as the engine has them now. False where the table is not there yet."""
    try:
        dataset.fetch_metadata()
    except Exception as error:  # whatever an engine says of a table that nobody has built
        log.info("%s has no columns yet: %s", dataset.table_name, " ".join(str(error).split())[:200])
        return False
    for column in dataset.columns:
        if column.column_name == "ds":
            column.is_dttm = True
            column.python_date_format = json.loads(dataset.params or "{}").get("ds_format", "%Y-%m-%d")
        elif column.column_name == dataset.main_dttm_col:
            column.is_dttm = True
    return True


def asked(files: Mapping[str, str]) -> dict[str, int]:
    """How many of each kind a bundle has."""
    return {kind: len(list(_parsed(files, f"{kind}/"))) for kind in KINDS}


def standing(files: Mapping[str, str]) -> dict[str, int]:
    """How many of them stand."""
    found = {}
    for kind, model in KINDS.items():
        uuids = [UUID(str(each["uuid"])) for each in _parsed(files, f"{kind}/")]
        found[kind] = db.session.query(model).filter(model.uuid.in_(uuids)).count()
    return found


def remove(uuids: Mapping[str, list[str]]) -> dict[str, int]:
    """Delete what came from files that are gone. What was made in the browser is nobody's but its maker's."""
    removed = {}
    for kind in ("dashboards", "charts", "datasets"):
        model = KINDS[kind]
        found = db.session.query(model).filter(model.uuid.in_([UUID(each) for each in uuids.get(kind, ())])).all()
        for each in found:
            db.session.delete(each)
        removed[kind] = len(found)
    db.session.commit()
    return removed


def read_back() -> dict[str, str]:
    """Every asset as Superset exports it: file name and text."""
    with as_service():
        return {name: content() for name, content in ExportAssetsCommand().run()}


@contextmanager
def as_service() -> Iterator[None]:
    """Act as the owner of what comes from files."""
    g.user = security_manager.find_user(username=SERVICE)
    yield


def _parsed(files: Mapping[str, str], prefix: str) -> Iterator[dict[str, Any]]:
    for name, text in files.items():
        if name.startswith(prefix):
            yield yaml.safe_load(text)
