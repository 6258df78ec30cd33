"""A period that is not over has no whole slice yet: it is refused, unless somebody asks for it by name. Pure.

Its slice would lack what is still to come, and be the newest one, which `_latest` shows and the next slice stands on.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from dayslice.errors import Refused
from dayslice.rules.calendar import bounds, exists, grain_of, is_over, last_complete

# The flag of commands, the parameter of Airflow's runs, and the variable that carries both to dbt.
FLAG = "--open-period"
PARAMETER = "open_period"
VARIABLE = "DAYSLICE_OPEN_PERIOD"
HOW = f"{FLAG} (with dbt: {VARIABLE}=1)"


def refuse_open_period(
    table: object, ds: str, zone: tzinfo = UTC, asked: bool = False, now: datetime | None = None, how: str = HOW
) -> None:
    """Raise Refused for a ds whose period is not over, or that no clock of the time zone shows.

    `table` is named in the sentence, `how` is what a person says to have it all the same; `asked`: they did.
    """
    if not exists(ds, zone):
        raise Refused(f"{table} {ds} is no period: the clock of {zone} is put forward over it, so there is no slice")
    if asked or is_over(ds, zone, now):
        return
    end = bounds(ds, zone)[1].astimezone(zone)
    newest = last_complete(now or datetime.now(UTC), grain_of(ds), zone)
    raise Refused(
        f"{table} {ds} is not over before {end:%Y-%m-%d %H:%M} ({zone}), and its slice would lack what is "
        f"still to come: take {newest} or an earlier one, or say {how}"
    )


def is_asked_for(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for a period that is not over."""
    return environment.get(VARIABLE, "").lower() in ("1", "true", "yes")
