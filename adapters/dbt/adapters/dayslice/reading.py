"""What the macros ask about the tables that a model reads: their slices of this run, and whether they stand."""

import re
from contextlib import AbstractContextManager
from typing import Any
from zoneinfo import ZoneInfo

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.jinja import for_jinja, while_parsing
from dbt.adapters.dayslice.relation import ds_condition

from dayslice.engines.target import is_trial
from dayslice.errors import NotYet, UsageError
from dayslice.metastore.interface import Metastore
from dayslice.rules.arguments import SliceArguments, all_slices_arguments, ds_periods, slice_arguments, table_name
from dayslice.rules.graph import Node, find, is_slices, read_by_name, slices_below, table_node, table_of
from dayslice.rules.reading import WITHOUT_DS, is_ephemeral, reads_this_run, without_ds
from dayslice.rules.waits import reads


class ReadsSlices(metaclass=AdapterMeta):
    """Mixed into `SliceAdapter`."""

    project_graph: Node = {"nodes": {}, "sources": {}}  # noqa: RUF012 - replaced, never changed
    """The graph that the run began with."""

    config: Any
    _macro_resolver: Any

    @property
    def time_zone(self) -> ZoneInfo:
        """The project's, as its dbt_project.yml has it."""
        given: Any = self.config.vars.to_dict()
        return ZoneInfo({**given, **(given.get(self.config.project_name) or {})}.get("time_zone", "UTC"))

    def slice_metastore(self) -> AbstractContextManager[Metastore]:
        """The metastore of this target, for a short look or one publication."""
        raise NotImplementedError

    @while_parsing
    def slice_arguments(self, model: Node, is_this: bool, *given: Any) -> SliceArguments:
        """The arguments of `slice()`, checked."""
        return slice_arguments(model["original_file_path"], is_this, *given)

    @while_parsing
    def all_slices_arguments(self, model: Node, is_this: bool, *given: Any) -> SliceArguments:
        """The arguments of `all_slices()`, checked."""
        return all_slices_arguments(model["original_file_path"], is_this, *given)

    @while_parsing
    def ds_periods(self, model: Node, periods: Any) -> int:
        """The argument of `ds()`, checked."""
        return ds_periods((model or {}).get("original_file_path", "ds()"), periods)

    @while_parsing
    def table_name(self, model: Node, macro: str, table: Any) -> str:
        """The argument of `latest()`, checked."""
        return table_name(model["original_file_path"], macro, table)

    @for_jinja
    def check_has_ds(self, model: Node, macro: str) -> None:
        """Refuse a macro of a ds in what is made once for all ds: parsing does not see a call by another macro."""
        if model and model["resource_type"] == "model" and model["config"]["materialized"] in WITHOUT_DS:
            raise UsageError(without_ds(model, model, macro))

    @for_jinja
    def slice_reads(self, graph: Node, unique_id: str, ds: str, offset: int, periods: int) -> list[str]:
        """The ds values of table `unique_id` that a model reads for its own ds."""
        if not graph.get("nodes") or (unique_id not in graph["nodes"] and unique_id not in graph["sources"]):
            graph = self.project_graph  # a unit test's own has no more than its fixtures
        settings = table_node(graph, find(graph, unique_id)).settings
        return reads(ds, settings.grain, settings.kind, offset, periods, self.time_zone)

    @for_jinja
    def upstream_id(self, graph: Node, model: Node, table: str, source: str | None) -> str | None:
        """The unique_id of a table that a model reads by name; None where it is not a table of slices."""
        graph, reader = self._reader(graph, model)
        unique_id = read_by_name(graph, reader, table, source)
        if unique_id is None:
            raise UsageError(f"{model['original_file_path']}: slice('{table}') names no table of this project")
        return unique_id if is_slices(find(graph, unique_id)) else None

    @for_jinja
    def read_of_this_run(
        self, graph: Node, model: Node, name: str, source: str | None, package: str | None, version: Any
    ) -> dict[str, Any] | None:
        """What a plain ref or source of `model` reads of tables of slices; None where it means all rows of something.

        `tables`: unique_ids; `direct`: whether it is such a table, not something that is made of some for all ds.
        """
        if not reads_this_run(graph, model):
            return None
        unique_id = read_by_name(graph, model, name, source, package, version)
        if unique_id is None:
            return None
        upstream = find(graph, unique_id)
        if is_slices(upstream):
            return {"tables": [unique_id], "direct": True}
        if model["resource_type"] == "test" or upstream["resource_type"] != "model" or is_ephemeral(upstream):
            return None
        below = slices_below(graph, upstream)
        return {"tables": below, "direct": False} if below else None

    @for_jinja
    def same_reads(self, graph: Node, model: Node, name: str, tables: list[str], ds: str) -> list[str]:
        """The ds values of this run in something that is made of tables of slices. Refuses tables of several grains."""
        found = {tuple(self.slice_reads(graph, each, ds, 0, 1)) for each in tables}
        if len(found) > 1:
            raise UsageError(
                f"{model['original_file_path']}: {name} is made of tables of several grains, so it has no slice of "
                f"{ds}: read those tables by slice(), or write all_slices('{name}') for all its rows"
            )
        return list(found.pop())

    @for_jinja
    def rows_of(self, relation: Any, slices: list[str], or_no_ds: bool = False) -> Any:
        """A relation of these slices. `or_no_ds`: and of rows without a ds, as a unit test may give them."""
        condition = ds_condition(slices)
        return relation.where(f"ds is null or {condition}" if or_no_ds else condition)

    @for_jinja
    def is_trial(self) -> bool:
        """Whether what is staged will be thrown away, so that no table is to be changed."""
        return is_trial()

    @for_jinja
    def staged_columns(self, relation: Any) -> list[str]:
        """The columns of a table's staged slices that the table itself does not get, lower case."""
        return []

    @for_jinja
    def rows_that(self, relation: Any, condition: str) -> Any:
        """A relation of the rows that hold an SQL condition; it still has its name and columns."""
        return relation.where(condition)

    @for_jinja
    def waits_for_nobody(self, model: Node) -> bool:
        """Whether a node reads slices with no look at its waits before: a snapshot, or another strategy's model."""
        own = model["resource_type"] == "model" and not is_slices(model) and not is_ephemeral(model)
        return own or model["resource_type"] in ("snapshot", "sql_operation")

    @for_jinja
    def check_read(self, graph: Node, model: Node, unique_id: str, slices: list[str]) -> None:
        """Refuse to read a slice that is not published, in a node whose own waits nobody else checks."""
        table = table_of(find(graph, unique_id))
        with self.slice_metastore() as metastore:
            missing = [each for each in slices if each not in metastore.published(table, slices)]
        if missing:
            reader = "this SQL" if model["resource_type"] == "sql_operation" else model["name"]
            raise NotYet(
                f"{reader} reads {table} {missing[0]}, which is not published; nothing was computed. Import or "
                f"build it first"
            )

    @for_jinja
    def gives_ds(self, model: Node, name: str | None) -> bool:
        """Whether the rows that a unit test gives for an input have a ds, so that they are of several slices."""
        for given in self._macro_resolver.unit_tests[model["unique_id"]].given:
            names = re.findall(r"'([^']+)'|\"([^\"]+)\"", given.input)
            if name is None and given.input.strip() != "this":
                continue
            if name is not None and (not names or name not in names[-1]):
                continue
            if isinstance(given.rows, str):
                return re.search(r"\bds\b", given.rows, re.IGNORECASE) is not None
            return any(str(key).lower() == "ds" for row in given.rows or () for key in row)
        return False

    @for_jinja
    def read_in_unit_test(
        self, graph: Node, model: Node, name: str, source: str | None, package: str | None, version: Any
    ) -> str | None:
        """The unique_id of a table of slices that a unit test's model reads by a plain ref, of this run's slice."""
        graph, reader = self._reader(graph, model)
        unique_id = read_by_name(graph, reader, name, source, package, version)
        if unique_id is None or not is_slices(find(graph, unique_id)) or not reads_this_run(graph, reader):
            return None
        return unique_id if self.gives_ds(model, name) else None

    def _reader(self, graph: Node, model: Node) -> tuple[Node, Node]:
        """A node with its graph; for a unit test, whose graph has fixtures only, the model that it tests."""
        tested = model.get("tested_node_unique_id")
        if tested is None:
            return graph, model
        return self.project_graph, self.project_graph["nodes"].get(tested, model)
