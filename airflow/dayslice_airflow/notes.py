"""A run's note in Airflow's lists and grids: its ds, where the run's name does not have it. Called by the scheduler."""

import logging
from typing import Any

from airflow.listeners import hookimpl

from dayslice.errors import DaysliceError
from dayslice_airflow.run_ds import ds_of_run
from dayslice_airflow.timetable import SliceTimetable

log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_running(dag_run: Any, msg: str) -> None:
    """Note the ds of a run that a person triggered, unless they have noted something themselves."""
    timetable = getattr(getattr(dag_run, "dag", None), "timetable", None)
    if not isinstance(timetable, SliceTimetable) or dag_run.note or dag_run.run_type != "manual":
        return
    try:
        ds = ds_of_run((dag_run.conf or {}).get("ds"), dag_run.logical_date, timetable.grain, timetable.zone)
        dag_run.note = f"ds {ds}"
    except DaysliceError as error:
        # Its first task says the same, and fails.
        log.info("%s: %s", dag_run.run_id, error)
