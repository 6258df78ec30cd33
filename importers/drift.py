"""What changed in a source table since the version before: new columns pass, the rest needs a person's word."""

from dayslice.errors import Refused
from dayslice.slices import Slice
from importers.declaration import Schema


def check_drift(slice: Slice, before: Schema, now: Schema, accept: bool) -> list[str]:
    """The names of new columns. Raises Refused for a column that is gone or has another type, unless accepted."""
    was = {column[0]: column for column in before}
    changed = []
    for name, source, declared, kind, _ in now:
        if name not in was:
            continue
        if was[name][1] and not source:
            changed.append(f"{name} is gone")
        elif was[name][3] != kind:
            changed.append(f"{name} was {was[name][2]} and is {declared}")
    added = [column[0] for column in now if column[1] and not (column[0] in was and was[column[0]][1])]
    if changed and not accept:
        new = f" (new: {', '.join(added)})" if added else ""
        raise Refused(
            f"{slice}: the source table changed since the slice before: {'; '.join(changed)}{new}; nothing was "
            "imported. If that is right, import it with --accept: older slices keep reading as they were"
        )
    return added if before else []
