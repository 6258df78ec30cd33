"""The ds of a DAG run: its parameter `ds`, or the period in which its logical date lies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk.exceptions import AirflowFailException

from dayslice.errors import DaysliceError, UsageError
from dayslice.rules.calendar import Grain, ds_at, parse_ds
from dayslice.rules.open_periods import PARAMETER, refuse_open_period

SCHEDULED = ("scheduled", "backfill")


def ds_of(context: Mapping[str, Any], grain: Grain, zone: ZoneInfo) -> str:
    """The ds that a run is for. Raises AirflowFailException, which is not retried, where it has none."""
    params = context.get("params") or {}
    _refuse_unknown(context)
    try:
        ds = ds_of_run(params.get("ds"), context.get("logical_date"), grain, zone)
        refuse_open_period(
            context["dag"].dag_id if "dag" in context else "this run",
            ds,
            zone,
            asked=open_period(context),
            how=f'trigger it with {{"{PARAMETER}": true}}',
        )
    except DaysliceError as error:
        raise AirflowFailException(str(error)) from None
    return ds


def ds_of_run(given: object, logical: datetime | None, grain: Grain, zone: ZoneInfo) -> str:
    """The ds that a person gave, or that of a logical date. Raises UsageError where there is neither."""
    if given:
        try:
            return parse_ds(given, grain)
        except UsageError as error:
            raise UsageError(f"parameter ds: {error}") from None
    if logical is None:
        raise UsageError(
            f"this run has no logical date, so there is no telling which slice it is for: trigger it with a ds, "
            f"such as {grain.example}"
        )
    return ds_at(logical, grain, zone)


def open_period(context: Mapping[str, Any]) -> bool:
    """Whether a run may have a period that is not over: a person says so; a schedule begins when it is over, by the
    scheduler's clock, which may be ahead of a worker's.
    """
    return run_type(context) == SCHEDULED[0] or (context.get("params") or {}).get(PARAMETER) is True


def run_type(context: Mapping[str, Any]) -> str:
    """How a run came about: scheduled, backfill, manual, …"""
    kind = getattr(context.get("dag_run"), "run_type", "manual")
    return str(getattr(kind, "value", kind))


def _refuse_unknown(context: Mapping[str, Any]) -> None:
    """Airflow takes any key of a run's conf; a mistyped one would be passed over."""
    if "dag" not in context:
        return
    known = set(context["dag"].params)
    unknown = sorted(set(getattr(context.get("dag_run"), "conf", None) or {}) - known)
    if unknown:
        raise AirflowFailException(
            f"conf: {', '.join(map(repr, unknown))} is no parameter of {context['dag'].dag_id}; known are "
            f"{', '.join(sorted(known))}: trigger it again"
        )
