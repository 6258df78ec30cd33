"""What makes a project one that can be run: its settings, and what its models read. Pure."""

from collections.abc import Mapping
from typing import Any

from dayslice.rules.dbt_settings import check_dbt_settings
from dayslice.rules.graph import Node, TableNode, tables_of
from dayslice.rules.reading import check_readers
from dayslice.rules.settings import refuse_foreign_keys

# The variable of dbt_project.yml by which a project refuses each key of meta that is not ours.
STRICT = "strict_meta"


def check_project_graph(graph: Node, variables: Mapping[str, Any], is_local: bool) -> dict[str, TableNode]:
    """All tables of slices. Raises UsageError, which names file and table, for what is wrong."""
    tables = tables_of(graph)
    if variables.get(STRICT):
        for node in tables.values():
            refuse_foreign_keys(node.meta, f"{node.yaml}: {node.name}", node.is_import)
    check_dbt_settings(graph, is_local)
    check_readers(graph)
    return tables
