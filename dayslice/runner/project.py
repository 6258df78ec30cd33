"""The dbt project, parsed: its tables of slices, its target, and dbt at hand to run it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dayslice.engines.target import Target, load_target, time_zone_of
from dayslice.errors import UsageError
from dayslice.rules.dbt_graph import remembered
from dayslice.rules.graph import Node, TableNode
from dayslice.rules.hive_names import check_tables
from dayslice.rules.lineage import Lineage
from dayslice.rules.logic import Hashes, Logic
from dayslice.rules.project_checks import check_project_graph
from dayslice.runner.dbt_runs import Dbt
from dayslice.runner.project_files import read_project_file
from dayslice.runner.project_index import ParsedLater, ProjectIndex, Stamp, read_index, write_index


@dataclass(frozen=True)
class Project:
    """A parsed project. `graph` is dbt's flat graph (nodes and sources as in manifest.json).

    Of a project that has not changed, all but `graph` and `dbt` is known without dbt, which starts when one of the two
    is used.
    """

    root: Path
    target: Target
    dbt: Dbt
    graph: Node
    tables: dict[str, TableNode]
    time_zone: ZoneInfo
    lineage: Lineage = field(default_factory=lambda: Lineage({}, {}))
    logic: Mapping[str, Hashes] = field(default_factory=dict)
    """What decides each model, as receipts have it."""

    @property
    def imports(self) -> list[TableNode]:
        """The tables that come from a source database."""
        return [node for node in self.tables.values() if node.is_import]

    @property
    def models(self) -> list[TableNode]:
        """The tables that are computed, upstream first."""
        return [node for node in self.tables.values() if not node.is_import]

    def find(self, name: str) -> TableNode:
        """A table by the name that people use: `flights_flat`, `erp.flights`. Raises UsageError for an unknown one."""
        for node in self.tables.values():
            if name in (node.name, str(node.table)):
                return node
        known = ", ".join(sorted(node.name for node in self.tables.values()))
        raise UsageError(f"there is no table {name!r}; the project has {known or 'none'}")


def find_root(start: Path | None = None) -> Path:
    """The project's folder: the nearest one, from here upwards, with a dbt_project.yml."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise UsageError(f"{here} is in no dbt project: run this where dbt_project.yml is")


def load_project(root: Path | None = None, target: str | None = None) -> Project:
    """The project, from its index where that still holds, or else parsed by dbt and indexed.

    Raises UsageError, as dbt words it, for what a person wrote wrong.
    """
    root = root or find_root()
    known = read_index(root, target)
    if known is not None:
        dbt = Dbt(root, target)
        graph = ParsedLater(lambda: _graph(dbt))
        return Project(root, known.target, dbt, graph, known.tables, known.time_zone, known.lineage, known.logic)
    before = Stamp.of(root)
    project = parse_project(root, target)
    index = ProjectIndex(project.target, project.tables, project.time_zone, project.lineage, project.logic)
    variables = {*project.target.variables, *project.dbt.manifest.env_vars}
    write_index(root, target, index, before, variables)
    return project


def parse_project(root: Path, target: str | None = None) -> Project:
    """Parse the project with dbt, once. Raises UsageError, as dbt words it, for what a person wrote wrong."""
    loaded = load_target(root, target)
    dbt = Dbt(root, target)
    graph = _graph(dbt)
    variables = read_project_file(root).get("vars") or {}
    tables = check_project_graph(graph, variables, loaded.is_local)
    if not loaded.is_local:
        check_tables(tables.values())
    logic = Logic(graph, dbt.manifest.macros, variables, os.environ)
    hashes = {each: (logic.of(each), logic.of_audits(each)) for each, node in tables.items() if not node.is_import}
    return Project(root, loaded, dbt, graph, tables, time_zone_of(root), Lineage.of(graph), hashes)


def _graph(dbt: Dbt) -> Node:
    manifest: Any = dbt.manifest or dbt.parse()
    return remembered(manifest.flat_graph)
