"""For which ds a cumulative import may be taken now: a snapshot of now is no snapshot of last month."""

from datetime import UTC, datetime, tzinfo

from dayslice.rules.calendar import Grain, containing, last_complete


def snapshot_slices(zone: tzinfo, now: datetime | None = None) -> frozenset[str]:
    """The slices, of every grain, that are going on now or were the last to be complete."""
    moment = now or datetime.now(UTC)
    current = {containing(moment.astimezone(zone), grain) for grain in Grain}
    return frozenset(current | {last_complete(moment, grain, zone) for grain in Grain})
