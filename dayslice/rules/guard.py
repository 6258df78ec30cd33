"""What a published slice would lose if it were made again now: inputs that it was made of and that are gone. Pure."""

from collections.abc import Collection, Mapping

from dayslice.rules.receipts import inputs_of
from dayslice.rules.slices import Slice, Version

# The option of commands, and the variable that carries it to dbt.
FLAG = "--accept"
VARIABLE = "DAYSLICE_ACCEPT"
# What the receipt says of it.
ACCEPTED = "accepted"


def losses(stood: Version, would_read: Collection[Slice], found: Mapping[Slice, Version]) -> list[str]:
    """What making a slice again would lose, a phrase for each input that is not there any more, or is empty by now.

    `would_read`: what its logic asks for, before anything is left out because it is not there; `found`: what is there.
    """
    lost = []
    for slice, read in (inputs_of(stood.receipt) or {}).items():
        if slice not in would_read or read.rows == 0:
            continue
        if slice not in found:
            rows = f", which had {read.rows:,} rows" if read.rows is not None else ""
            lost.append(f"{slice}{rows}, is not there any more")
        elif found[slice].receipt.rows == 0 and read.rows is not None:
            lost.append(f"{slice} is empty, and had {read.rows:,} rows")
    return lost
