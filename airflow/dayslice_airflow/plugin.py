"""Tells Airflow of Dayslice's timetable, as only a registered one may be part of a DAG, and of its runs' notes."""

from airflow.plugins_manager import AirflowPlugin

from dayslice_airflow import notes
from dayslice_airflow.timetable import SliceTimetable


class DayslicePlugin(AirflowPlugin):
    """Dayslice's part of Airflow."""

    name = "dayslice"
    timetables = [SliceTimetable]  # noqa: RUF012 - as Airflow declares it
    listeners = [notes]  # noqa: RUF012
