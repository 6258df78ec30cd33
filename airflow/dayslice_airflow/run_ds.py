"""The ds of a DAG run: its parameter `ds`, or the period in which its logical date lies."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk.exceptions import AirflowFailException

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, bounds, containing, parse_ds

SCHEDULED = ("scheduled", "backfill")


def ds_of(context: Mapping[str, Any], grain: Grain, zone: ZoneInfo) -> str:
    """The ds that a run is for. Raises AirflowFailException, which is not retried, where it has none."""
    given = (context.get("params") or {}).get("ds")
    logical = context.get("logical_date")
    if given:
        try:
            return parse_ds(given, grain)
        except UsageError as error:
            raise AirflowFailException(f"parameter ds: {error}") from None
    if logical is None:
        raise AirflowFailException(
            f"this run has no logical date, so there is no telling which slice it is for: trigger it with a ds, "
            f"such as {grain.example}"
        )
    ds = containing(logical.astimezone(zone), grain)
    if run_type(context) not in SCHEDULED and bounds(ds, zone)[1] > datetime.now(UTC):
        raise AirflowFailException(
            f"this run's logical date {logical:%Y-%m-%d %H:%M} lies in {ds}, which is not over yet: "
            f"trigger it with a ds, such as {grain.example}"
        )
    return ds


def run_type(context: Mapping[str, Any]) -> str:
    """How a run came about: scheduled, backfill, manual, …"""
    kind = getattr(context.get("dag_run"), "run_type", "manual")
    return str(getattr(kind, "value", kind))
