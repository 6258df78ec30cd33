"""When the runs of a table's DAG begin, and for which ds: each by cron, for the newest period that is over by then."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow._shared.timezones.timezone import coerce_datetime, utcnow
from airflow.timetables._cron import CronMixin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.utils.types import DagRunType

from dayslice.rules.calendar import Grain, bounds, ds_at, last_complete

# A DAG that stood still for longer, such as one that was paused, does not make up for all of it.
CATCH_UP = timedelta(days=7)
_described: dict[str, str] = {}
"""Cron lines in words."""


class SliceTimetable(CronMixin, Timetable):
    """Cron, where a run's data interval is the period of its slice: the newest that is over when the run begins.

    So a ds has one run, also where the clock shows an hour twice; a schedule that is rarer than the grain has the ds
    right before its run. The first run is that of the last time; from then on no time is left out: Airflow's own
    `catchup` knows only all since the start date, or the last one. Of a history there is no telling what is wanted
    (`airflow backfill create` says it), but what an outage kept back is.
    """

    def __init__(self, cron: str, timezone: str, grain: str = Grain.DAY.value):
        super().__init__(cron, timezone)
        self.zone, self.grain = ZoneInfo(timezone), Grain(grain)

    def _describe_with_dom_dow_fix(self, expression: str) -> str:
        # It reads a catalogue of words from the disk each time, for each DAG that is read or written: a quarter of all
        # that a deployment costs Airflow.
        if expression not in _described:
            _described[expression] = super()._describe_with_dom_dow_fix(expression)
        return _described[expression]

    def serialize(self) -> dict[str, Any]:
        """As Airflow keeps it in its database."""
        return {"cron": self._expression, "timezone": self.zone.key, "grain": self.grain.value}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "SliceTimetable":
        """The inverse of `serialize`."""
        return cls(**data)

    def ds_of(self, moment: datetime) -> str:
        """The ds of a run whose logical date this is."""
        return ds_at(moment, self.grain, self.zone)

    def interval(self, ds: str) -> DataInterval:
        """The period of a ds."""
        start, end = (coerce_datetime(each) for each in bounds(ds, self.zone))
        return DataInterval(start, end)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next run, as Airflow's scheduler asks for it; and its backfills, which ask with catchup."""
        last = self.ds_of(last_automated_data_interval.start) if last_automated_data_interval else ""
        fire = self._first_fire(last, restriction)
        while fire is not None:
            ds = last_complete(fire, self.grain, self.zone)
            interval = self.interval(ds)
            if restriction.latest is not None and interval.start > restriction.latest:
                return None
            # Not again for the same ds: where the clock shows an hour twice, it is not over after the first time.
            if ds > last and (restriction.earliest is None or interval.start >= restriction.earliest):
                return DagRunInfo(run_after=fire, data_interval=interval)
            fire = self._get_next(fire)
        return None

    def _first_fire(self, last: str, restriction: TimeRestriction) -> Any:
        """The time at which to begin to look for the next run."""
        after = [self.interval(last).end] if last else []
        if restriction.catchup:
            after += [restriction.earliest] if restriction.earliest else []
            return self._align_to_next(max(after)) if after else None
        newest = self._align_to_prev(coerce_datetime(utcnow()))
        oldest = coerce_datetime(utcnow() - CATCH_UP)
        return self._align_to_next(max(*after, min(newest, oldest))) if after else newest

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """The period in which a logical date lies that a person gave."""
        return self.interval(self.ds_of(run_after))

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: Any, data_interval: DataInterval | None, **more: Any
    ) -> str:
        """A run's name: its ds, where that is known already. What a person triggers may have another."""
        if run_type in (DagRunType.SCHEDULED, DagRunType.BACKFILL_JOB) and data_interval is not None:
            return str(run_type.generate_run_id(suffix=self.ds_of(data_interval.start)))
        return str(super().generate_run_id(run_type=run_type, run_after=run_after, data_interval=data_interval, **more))
