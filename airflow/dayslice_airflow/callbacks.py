"""Whom Airflow tells that a slice is late or a task failed: the operator's own functions.

`DAYSLICE_ON_LATE` and `DAYSLICE_ON_FAILURE` name them as `package.module.function`, on the path of Airflow's
processes. Each takes one dict: dag_id, run_id, logical_date, table, ds, and, for a failure, task_id and error. Where
`DAYSLICE_ALERTS` is set, `dayslice alert` is run as well, in a process of its own: its addresses reach no log here.
"""

import asyncio
import inspect
import logging
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dayslice.errors import DaysliceError
from dayslice.metastore.choice import MetastorePlace, open_place
from dayslice.orchestration.deployment import read_deployment
from dayslice.rules.calendar import Grain
from dayslice.rules.schedules import late_at
from dayslice.rules.slices import Table
from dayslice_airflow.run_ds import ds_of_run

log = logging.getLogger(__name__)
ON_LATE = "DAYSLICE_ON_LATE"
ON_FAILURE = "DAYSLICE_ON_FAILURE"
ALERTS = "DAYSLICE_ALERTS"
_ALERT_SECONDS = 300


async def late(
    table: str,
    late_after: str,
    grain: str,
    zone: str,
    schema: str,
    name: str,
    place: Mapping[str, str],
    context: Mapping[str, Any] | None = None,
) -> None:
    """A run is past its `late_after`. Called by the triggerer; a backfill of the past is never late.

    Airflow counts from a period's beginning, and periods are not equally long: it calls when the shortest one would be
    late, so that the rest is waited for here, and the metastore is asked then.
    """
    run = dict((context or {}).get("dag_run") or {})
    if run.get("run_type", "scheduled") != "scheduled":
        return
    logical = run.get("logical_date")
    moment = datetime.fromisoformat(str(logical).replace("Z", "+00:00")) if logical else None
    told = {
        "dag_id": run.get("dag_id"),
        "run_id": run.get("dag_run_id") or run.get("run_id"),
        "logical_date": str(logical) if logical else None,
        "table": table,
        "ds": _ds((run.get("conf") or {}).get("ds"), moment, grain, zone),
        "late_after": late_after,
    }
    if told["ds"] and not await _is_late(told["ds"], late_after, zone, Table(schema, name), place):
        return
    log.error("%s %s is late: not there %s after its period's end", table, told["ds"], late_after)
    await _tell(ON_LATE, told)
    await asyncio.to_thread(_alert, table, None, "")


async def _is_late(ds: str, late_after: str, zone: str, table: Table, place: Mapping[str, str]) -> bool:
    left = (late_at(ds, late_after, ZoneInfo(zone)) - datetime.now(UTC)).total_seconds()
    if left <= 0:
        return True
    await asyncio.sleep(left)
    try:
        return ds not in await asyncio.to_thread(_stands, table, ds, place)
    except DaysliceError as error:
        log.warning("%s %s: whether it stands could not be asked (%s), so it counts as late", table, ds, error)
        return True


def _stands(table: Table, ds: str, place: Mapping[str, str]) -> Collection[str]:
    with open_place(MetastorePlace(**place)) as metastore:
        return metastore.published(table, [ds])


def failed(context: Mapping[str, Any]) -> None:
    """A task failed for good. Called in the task's process."""
    task, logical = context["ti"], context.get("logical_date")
    timetable = context["dag"].timetable
    told = {
        "dag_id": task.dag_id,
        "task_id": task.task_id,
        "run_id": task.run_id,
        "logical_date": str(logical) if logical else None,
        "table": task.dag_id,
        "ds": _ds((context.get("params") or {}).get("ds"), logical, timetable.grain.value, timetable.zone.key),
        "error": str(context.get("exception")),
    }
    asyncio.run(_tell(ON_FAILURE, told))
    _alert(task.dag_id, told["ds"], told["error"])


def asked() -> bool:
    """Whether anybody is to hear of failures."""
    return any(os.environ.get(name) for name in (ON_FAILURE, ALERTS))


def _alert(table: str, failed: str | None, error: str) -> None:
    """Run `dayslice alert` for a table: of what is late, or of a run that failed."""
    if not os.environ.get(ALERTS) or "DAYSLICE_HOME" not in os.environ:
        return
    target = os.environ.get("DAYSLICE_TARGET", "local")
    words = ["alert", "--target", target, *(["--failed", failed] if failed else []), "--select", table]
    try:
        project = read_deployment(Path(os.environ["DAYSLICE_HOME"]).absolute(), target, table).project
        done = subprocess.run(
            [sys.executable, "-m", "dayslice", *words],
            cwd=project,
            input=error,
            capture_output=True,
            text=True,
            timeout=_ALERT_SECONDS,
            check=False,
        )
    except (DaysliceError, OSError, subprocess.SubprocessError) as problem:
        log.error("%s: nobody could be told: %s", table, type(problem).__name__)
        return
    log.info("%s: %s", table, (done.stdout + done.stderr).strip() or f"dayslice alert ended with {done.returncode}")


def _ds(given: object, logical: datetime | None, grain: str, zone: str) -> str | None:
    """The ds of a run; None where it has none, which is what failed then."""
    try:
        return ds_of_run(given, logical, Grain(grain), ZoneInfo(zone))
    except DaysliceError:
        return None


async def _tell(variable: str, told: dict[str, Any]) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    module, _, name = path.rpartition(".")
    try:
        function = getattr(import_module(module), name)
        if inspect.iscoroutinefunction(function):
            await function(told)
        else:
            await asyncio.to_thread(function, told)
    except Exception:
        # Nothing of the warehouse may fail because somebody could not be told.
        log.exception("%s=%s could not be called", variable, path)
