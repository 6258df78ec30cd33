"""Why a slice that stands is to be made again, by its receipt: its inputs or its logic are others by now. Pure."""

from collections.abc import Callable

from dayslice.rules.logic import Hashes
from dayslice.rules.receipts import AUDIT_LOGIC, INPUTS, LOGIC, inputs_of, is_same_content
from dayslice.rules.slices import Slice, Version

MISSING = "missing"
FORCED = "forced"
DOWNSTREAM = "downstream of "
INPUT_NEWER = "input newer"
LOGIC_CHANGED = "logic changed"
AUDITS_CHANGED = "audits changed"
KINDS = (MISSING, INPUT_NEWER, LOGIC_CHANGED, AUDITS_CHANGED, FORCED, DOWNSTREAM.strip())

Published = Callable[[Slice], Version | None]


def newer_inputs(version: Version, published: Published) -> list[tuple[Slice, str, Version]]:
    """The inputs of a version that hold something else by now: each with the version that was read, and the one now.

    An input that is not there any more is none of them: nothing can be read of it. Nor is one of the same content.
    """
    found = []
    for slice, read in (inputs_of(version.receipt) or {}).items():
        now = published(slice)
        if now is not None and not is_same_content(read, now):
            found.append((slice, read.version, now))
    return found


def stale_reason(version: Version, published: Published, hashes: Hashes | None) -> str | None:
    """Why a published version is to be made again; None for one that is what would be made now.

    None too for one of which nothing is known, as its receipt is of before: see `is_unknown`.
    """
    if is_unknown(version):
        return None
    newer = newer_inputs(version, published)
    if newer:
        slice, before, now = newer[0]
        others = f" and {len(newer) - 1} more" if len(newer) > 1 else ""
        return f"{INPUT_NEWER}: {slice}{others} ({before} -> {now.id})"
    return logic_reason(version, hashes)


def logic_reason(version: Version, hashes: Hashes | None) -> str | None:
    """The same, of a version whose inputs are what is published."""
    more = version.receipt.more
    if is_unknown(version) or hashes is None:
        return None
    if more.get(LOGIC, hashes[0]) != hashes[0]:
        return LOGIC_CHANGED
    return AUDITS_CHANGED if more.get(AUDIT_LOGIC, hashes[1]) != hashes[1] else None


def is_unknown(version: Version) -> bool:
    """Whether a receipt does not say what the version was made from."""
    return INPUTS not in version.receipt.more


def lost_inputs(version: Version, published: Published) -> list[Slice]:
    """The inputs of a version that are not there any more: it could not be made again as it is."""
    return [slice for slice in inputs_of(version.receipt) or {} if published(slice) is None]


def kind_of(reason: str) -> str:
    """Which of KINDS a reason is."""
    return next(kind for kind in KINDS if reason.startswith(kind))
