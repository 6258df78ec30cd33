"""What changed in a source table since the version before: new columns pass, the rest needs a person's word."""

from collections.abc import Sequence

from dayslice.errors import Refused
from dayslice.slices import Slice


def check_drift(slice: Slice, before: Sequence[Sequence[str]], now: Sequence[Sequence[str]], accept: bool) -> list[str]:
    """The names of new columns. Raises Refused for a column that is gone or has another type, unless accepted.

    Columns are as a receipt keeps them: name, source name, source type, engine type, …
    """
    was, is_ = {column[0]: column for column in before}, {column[0]: column for column in now}
    changed = [f"{name} is gone" for name in was if name not in is_]
    changed += [
        f"{name} was {was[name][2]} and is {is_[name][2]}"
        for name in was
        if name in is_ and was[name][3] != is_[name][3]
    ]
    if changed and not accept:
        raise Refused(
            f"{slice}: the source table changed since the slice before: {'; '.join(changed)}; nothing was imported. "
            "If that is right, import it with --accept: older slices keep reading as they were"
        )
    return [name for name in is_ if name not in was] if before else []
