"""A target without dbt, which takes seconds to import: as dbt read it before, while its files still say the same."""

from pathlib import Path

from dayslice.engines.target import PROJECT_FILE, Target, load_target, time_zone_of
from dayslice.rules.lineage import Lineage
from dayslice.runner.project_files import stamp_of_files
from dayslice.runner.project_index import ProjectIndex, Stamp, read_index, write_index

# What decides a target. A change of a model leaves it as it is.
_WATCHED = [PROJECT_FILE, "profiles.yml"]
_KIND = "target"


def quick_target(root: Path, name: str | None = None) -> Target:
    """The target by name; by default the profile's own default. Raises UsageError for one that is not there."""
    known = read_index(root, name, _KIND)
    if known is not None:
        return known.target
    before = Stamp(_WATCHED, stamp_of_files(root, _WATCHED))
    found = load_target(root, name)
    nothing = ProjectIndex(found, {}, time_zone_of(root), Lineage({}, {}), {})
    write_index(root, name, nothing, before, set(found.variables), _KIND)
    return found
