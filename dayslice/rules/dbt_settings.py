"""dbt's own settings of an incremental model that a table of slices cannot follow: each is refused by name. Pure.

What is not here is followed (docs/tables.md), means nothing to a table of slices, or is another tool's.
"""

from collections.abc import Mapping
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.graph import Node, is_ds, is_slices

_WHOLE = "a slice is replaced as a whole, so there is nothing to limit"
_BATCHES = "it is for microbatch: a table of slices is made a ds at a time, and dayslice backfill makes many"
_FILES = "how files are written is said by format, bucketed_by and sorted_by in the table's meta"

# dbt's value where nothing was said, and why another cannot be followed.
_REFUSED: Mapping[str, tuple[Any, str]] = {
    "incremental_predicates": (None, _WHOLE),
    "predicates": (None, _WHOLE),
    "batch_size": (None, _BATCHES),
    "begin": (None, _BATCHES.replace("microbatch:", "microbatch; start in the table's meta is the first ds:")),
    "lookback": (1, "it is for microbatch: a SELECT reads earlier slices by slice('…', range=7)"),
    "concurrent_batches": (None, _BATCHES),
    "properties": (None, _FILES),
    "table_properties": (None, _FILES),
    "partitioned_by": (None, "a table of slices is partitioned by ds, and by nothing else"),
    "indexes": (None, "slices are files, which have no indexes"),
    "location": (None, "each version of a slice has a place of its own in the warehouse"),
}
_LOCAL_GRANTS = (
    "files have no grants on the local engine. To have them on Trino alone: "
    "grants: \"{{ {'select': ['reporter']} if target.type == 'dayslice_trino' else {} }}\""
)


def check_dbt_settings(graph: Node, is_local: bool) -> None:
    """Raises UsageError, with file and model, for a setting that would be passed over."""
    for node in graph["nodes"].values():
        if node["resource_type"] not in ("model", "seed", "snapshot"):
            continue
        if is_local and node["config"].get("grants"):
            raise UsageError(_said(node, "grants", _LOCAL_GRANTS))
        if is_slices(node):
            _check_slices(node, node["config"])


def _check_slices(node: Node, config: Node) -> None:
    if config.get("full_refresh"):
        why = "it would drop the history at every run. false forbids even --full-refresh"
        raise UsageError(_said(node, "full_refresh: true", why))
    if config.get("partition_by") and not is_ds(config["partition_by"]):
        raise UsageError(_said(node, "partition_by", "a table of slices is partitioned by ds, and by nothing else"))
    for key, value in config.items():
        if key.startswith("merge_") and value is not None:
            raise UsageError(_said(node, key, f"it is for merge, and {_WHOLE}"))
        unsaid, why = _REFUSED.get(key, (value, ""))
        if value not in (unsaid, None):
            raise UsageError(_said(node, key, why))


def _said(node: Node, key: str, why: str) -> str:
    return f"{node['original_file_path']}: {node['name']}: {key} cannot be followed: {why}. Leave it out"
