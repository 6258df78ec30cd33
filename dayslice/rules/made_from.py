"""What a follower's receipt says of when it read its tables, and what it has therefore not seen of them. Pure.

Numbers are the metastore's, of its changes: no clock says what is newer. Only the local target's has such.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dayslice.rules.slices import Receipt

KEY = "made_from"


@dataclass(frozen=True)
class MadeFrom:
    """`read_at`: the change after which all was read. `given`: of each ds, the change after which it was given last.

    `since`: what was published before that change is not asked for, as nothing was noted then.
    """

    read_at: int
    since: int = 0
    given: Mapping[str, int] = field(default_factory=dict)

    def again(self, read_at: int, ds: str | None) -> "MadeFrom":
        """As it is after another making, for a ds if there is one."""
        return replace(self, read_at=read_at, given={**self.given, **({ds: read_at} if ds else {})})

    def to_text(self) -> str:
        """As a receipt holds it."""
        return json.dumps([self.read_at, self.since, dict(self.given)], separators=(",", ":"))

    def missed(self, written: Mapping[str, int]) -> list[str]:
        """Of the published slices of a table, with the change that wrote each, those that were not given to it."""
        return [ds for ds, number in written.items() if number > max(self.since, self.given.get(ds, -1))]


def made_from(receipt: Receipt) -> MadeFrom | None:
    """What a receipt says; None for one of before."""
    text = receipt.more.get(KEY)
    return MadeFrom(*json.loads(text)) if text else None
