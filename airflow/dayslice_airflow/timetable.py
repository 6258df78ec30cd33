"""When the runs of a table's DAG begin: by cron, each when its period is over, and after an outage all that are due."""

from datetime import timedelta
from typing import Any

from airflow._shared.timezones.timezone import coerce_datetime, utcnow
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

# A DAG that stood still for longer, such as one that was paused, does not make up for all of it.
CATCH_UP = timedelta(days=7)


class SliceTimetable(CronDataIntervalTimetable):
    """Cron with data intervals. The first run is that of the last period; from then on no period is left out.

    Airflow's own `catchup` knows only all since the start date, or the last one. Of a history there is no telling what
    is wanted (`airflow backfill create` says it), but what an outage kept back is.
    """

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next run, as Airflow's scheduler asks for it."""
        # `airflow backfill create` asks with catchup, and has limits of its own.
        if last_automated_data_interval is not None and not restriction.catchup:
            oldest = coerce_datetime(utcnow() - CATCH_UP)
            earliest = max(restriction.earliest, oldest) if restriction.earliest else oldest
            restriction = TimeRestriction(earliest, restriction.latest, catchup=True)
        info: Any = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        return info  # type: ignore[no-any-return]
