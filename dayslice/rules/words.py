"""A table's settings and waits in words, as its page on the docs site has them."""

import re
from collections.abc import Callable
from datetime import tzinfo

from dayslice.rules.calendar import Grain
from dayslice.rules.graph import TableNode
from dayslice.rules.schedules import cron_of
from dayslice.rules.settings import Kind
from dayslice.rules.waits import RUN_DS, Wait

EACH = {Grain.DAY: "a day", Grain.HOUR: "an hour", Grain.QUARTER_HOUR: "a quarter of an hour"}
HOLDS = {Kind.CUMULATIVE: "everything up to its ds", Kind.EVENTS: "only what happened in its ds"}


def table_words(node: TableNode, name_of: Callable[[str], str], zone: tzinfo) -> dict[str, str]:
    """What a table is, by what is asked. `name_of` gives the name of a dbt unique_id."""
    settings = node.settings
    found = {
        "grain": f"one slice {EACH[settings.grain]}, which holds {HOLDS[settings.kind]}",
        "schedule": schedule_words(cron_of(settings.schedule, settings.grain, zone), str(zone)),
        "owner": settings.owner or "nobody is named",
    }
    if node.is_import:
        place = f"{node.meta.get('source_schema', 'public')}.{node.meta.get('source_table', node.table.name)}"
        found["imported from"] = f"{place} of connection {node.meta['connection']}"
    else:
        found["waits for"] = "; ".join(_waits_words(node, name_of)) or "nothing"
    more = {
        "begins": settings.start,
        "ends": settings.end,
        "is late": settings.late_after and f"{settings.late_after} after the end of its period",
        "is kept": ", ".join(settings.retention),
    }
    return found | {key: value for key, value in more.items() if value}


def _waits_words(node: TableNode, name_of: Callable[[str], str]) -> list[str]:
    """All waits of a table; those for the same ds in one."""
    same = [name_of(wait.upstream) for wait in node.waits if wait == Wait(wait.upstream)]
    others = [wait_words(wait, node.unique_id, name_of) for wait in node.waits if wait != Wait(wait.upstream)]
    named = " and ".join([", ".join(same[:-1]), same[-1]] if len(same) > 1 else same)
    return [f"the slice of the same ds of {named}", *others] if same else others


def wait_words(wait: Wait, own: str, name_of: Callable[[str], str]) -> str:
    """One wait: which slices of what."""
    of = "of its own" if wait.upstream == own else f"of {name_of(wait.upstream)}"
    back = -wait.offset
    if wait.asof is not None:
        return f"the newest slice {of}, {date_words(wait)}"
    if wait.periods > 1:
        until = "" if not back else f", up to the {'one' if back == 1 else f'{back}th one'} before its ds"
        return f"the last {wait.periods} slices {of}{until}"
    if back == 0:
        return f"the slice of the same ds {of}"
    return f"the slice before {of}" if back == 1 else f"the slice {back} before its ds {of}"


def date_words(wait: Wait) -> str:
    """Up to when a wait reads the newest slice."""
    if wait.asof != RUN_DS:
        return f"at or before {wait.asof}"
    if wait.follows is not None:
        return "before its ds"
    return "at or before its ds" if not wait.offset else f"at or before the ds {-wait.offset} before its own"


def schedule_words(cron: str, zone: str) -> str:
    """A cron line; what runs once a day or once an hour in plain words."""
    daily = re.fullmatch(r"(\d+) (\d+) \* \* \*", cron)
    hourly = re.fullmatch(r"(\d+) \* \* \* \*", cron)
    if daily:
        return f"every day at {int(daily[2]):02}:{int(daily[1]):02} ({zone})"
    if hourly:
        return f"every hour, {int(hourly[1])} minutes past ({zone})"
    return f"{cron} (cron, {zone})"
