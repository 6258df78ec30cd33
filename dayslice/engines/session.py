"""What every session of an engine is set to, whoever opens it: dbt through the adapters, and the commands beside it.

A cast of a moment to a date, `current_date` and the like take the session's time zone. It is the project's, on every
engine, so that the machine's own changes no number.
"""

from typing import Any


def in_time_zone(credentials: Any, zone: str) -> Any:
    """A target's credentials, whose sessions have this time zone."""
    if hasattr(credentials, "settings"):  # dbt-duckdb sets these in each session
        credentials.settings = {**(credentials.settings or {}), "TimeZone": zone}
    else:
        credentials.timezone = zone
    return credentials
