"""What the macros may ask of Python: the calendar, the waits, the metastore. Mixed into both dbt adapters.

The arithmetic and the rules stay in the pure modules, so that Jinja, the runner and Airflow cannot disagree.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.audits import RunsAudits
from dbt.adapters.dayslice.behavior import HasBehavior
from dbt.adapters.dayslice.columns import StoresColumns
from dbt.adapters.dayslice.histories import ReadsPublished
from dbt.adapters.dayslice.jinja import REFUSALS, for_jinja, while_parsing
from dbt.adapters.dayslice.receipts import Begun, WritesReceipts, begin
from dbt.adapters.dayslice.refusing import RefusesRuns
from dbt.adapters.dayslice.statements import one_select

from dayslice.engines.session import in_time_zone
from dayslice.engines.target import home_of
from dayslice.errors import NotYet, Refused, UsageError
from dayslice.metastore.announcements import announce
from dayslice.metastore.interface import Metastore
from dayslice.rules.calendar import grain_of, parse_ds, shift
from dayslice.rules.graph import Node, TableNode, awaited_of, is_slices, table_node
from dayslice.rules.guard import VARIABLE
from dayslice.rules.open_periods import is_asked_for, refuse_open_period
from dayslice.rules.project_checks import check_project_graph
from dayslice.rules.publications import Naming, described
from dayslice.rules.settings import Empty
from dayslice.rules.slices import Slice, Table, Version, new_version_id


class SliceAdapter(
    HasBehavior, ReadsPublished, RunsAudits, WritesReceipts, RefusesRuns, StoresColumns, metaclass=AdapterMeta
):
    """The methods that macros call as `adapter.…`. `graph` and `model` are Jinja's own variables of these names."""

    refusals: ClassVar[list[str]] = REFUSALS

    def __init__(self, config: Any, mp_context: Any) -> None:
        super().__init__(config, mp_context)  # type: ignore[call-arg]
        in_time_zone(config.credentials, self.time_zone.key)

    @for_jinja
    def end_transaction(self) -> None:
        """Commit what dbt's own look-ups began, on an engine that has transactions."""

    @while_parsing
    def refuse(self, message: str) -> None:
        """Stop this node with a sentence. (Jinja's own raise_compiler_error adds a trace of macros to it.)"""
        raise Refused(message)

    @for_jinja
    def parse_ds(self, given: object) -> str:
        """The run's ds as `--vars` or the environment gives it."""
        return parse_ds(given)

    @for_jinja
    def shift_ds(self, ds: str, periods: int) -> str:
        """The ds `periods` periods later."""
        return shift(ds, periods, self.time_zone)

    @for_jinja
    def check_project(self, graph: Node) -> None:
        """Refuse a project whose settings are wrong, before anything runs. Names file and table."""
        self.project_graph = graph
        check_project_graph(graph, self.config.vars.to_dict(), self.type() == "dayslice_duckdb")
        self.check_tests(graph)

    @for_jinja
    def share_memory(self, graph: Node, selected: Sequence[str]) -> None:
        """Let the nodes of this command share the memory of an engine in this process: a node alone has all of it."""

    @for_jinja
    def one_select(self, model: Node, sql: str) -> str:
        """A model's SQL without a semicolon at its end, which would end the statement that it is put into."""
        return one_select(sql, model["original_file_path"])

    @for_jinja
    def described_types(self, graph: Node, name: str, source: str | None = None) -> dict[str, str]:
        """The column types that the YAML of a model or a source gives, by lower-case name, with ds; {} without them.

        A unit test's own graph is empty: then from the one that the run began with.
        """
        graph = graph or self.project_graph
        for node in (*graph["nodes"].values(), *graph["sources"].values()):
            if node["resource_type"] in ("model", "source") and node["name"] == name:
                if node.get("source_name") != source:
                    continue
                typed = {c["name"].lower(): c["data_type"] for c in node["columns"].values() if c.get("data_type")}
                return {**typed, "ds": "varchar"} if typed and is_slices(node) else typed
        return {}

    @for_jinja
    def check_run(self, graph: Node, model: Node, ds: str) -> Begun:
        """Refuse a ds of another grain than the table's, a period that is not over, and a slice whose waits do not
        hold. Gives what stands now of the slice and its inputs.
        """
        node = table_node(graph, model)
        parse_ds_for(node, ds)
        if node.settings.start is not None and ds < node.settings.start:
            raise Refused(
                f"{node} begins at {node.settings.start}, as {node.yaml} says (`start`), so it has no slice of {ds}; "
                f"nothing was computed"
            )
        refuse_open_period(node, ds, self.time_zone, is_asked_for(os.environ))
        with self.slice_metastore() as metastore:
            found = self._found(graph, node, ds, metastore)
            missing = [slice for slice, version in found.items() if version is None]
            if not missing:
                asked = {each for wait in awaited_of(graph, node) for each in wait.asked_for(ds, self.time_zone)}
                there = {slice: version for slice, version in found.items() if version}
                return begin(metastore, Slice(node.table, ds), there, asked, os.environ.get(VARIABLE, ""))
        raise NotYet(_waiting(node, ds, missing))

    @for_jinja
    def new_version(self) -> str:
        """A fresh version id."""
        return new_version_id()

    @for_jinja
    def newest_slice(self, schema: str, name: str) -> str | None:
        """The newest published ds of a table, or None."""
        with self.slice_metastore() as metastore:
            return max(metastore.published_ds(Table(schema, name)), default=None)

    @for_jinja
    def check_rows(self, graph: Node, model: Node, ds: str, rows: int) -> None:
        """Refuse an empty slice, or one that shrank, as the table's settings say."""
        node = table_node(graph, model)
        if rows == 0 and node.settings.empty is Empty.REFUSE:
            raise Refused(
                f"{node} {ds} is empty, and a {node.settings.kind.value} table refuses that; the published slice is as "
                f"it was. If it is right, say `empty: publish` in the table's meta"
            )
        if node.settings.max_shrink is None:
            return
        with self.slice_metastore() as metastore:
            earlier = [each for each in metastore.published_ds(node.table) if each < ds]
            if not earlier:
                return
            before = metastore.published(node.table, earlier[-1:])[earlier[-1]]
        if rows < before.receipt.rows * (1 - node.settings.max_shrink):
            raise Refused(
                f"{node} {ds} has {rows} rows, {before.receipt.rows - rows} fewer than {before.slice.ds} "
                f"({before.receipt.rows}): that is more than max_shrink {node.settings.max_shrink:.0%} allows; "
                "the published slice is as it was"
            )

    def naming(self) -> Naming:
        """What others call this warehouse."""
        raise NotImplementedError

    def announce(self, version: Version, columns: Sequence[Mapping[str, Any]]) -> None:
        """Tell those who show it that this version is published."""
        home = home_of(Path(self.config.project_root))  # type: ignore[attr-defined]
        announce(home, version, self.naming, described(columns))

    @for_jinja
    def is_slice_table(self, node: Node) -> bool:
        """Whether a node of the graph is a table of slices."""
        return is_slices(node)

    def _found(self, graph: Node, node: TableNode, ds: str, metastore: Metastore) -> dict[Slice, Version | None]:
        """The slices that this one is computed from, with what is published of each."""
        found: dict[Slice, Version | None] = {}
        for awaited in awaited_of(graph, node):
            needed = awaited.wanted(ds, metastore.published_ds, self.time_zone)
            published = metastore.published(awaited.table, [each.ds for each in needed])
            found.update((each, published.get(each.ds)) for each in needed)
        return found


def _waiting(node: TableNode, ds: str, missing: list[Slice]) -> str:
    slices = "\n  ".join(str(each) for each in missing)
    return (
        f"{node} {ds} waits for {len(missing)} slice{'s' * (len(missing) > 1)} that "
        f"{'are' if len(missing) > 1 else 'is'} not published; nothing was computed:\n  {slices}\n"
        f"Import or build them first: dayslice backfill --select +{node.name} --from {missing[0].ds} --to {ds}"
    )


def parse_ds_for(node: TableNode, ds: str) -> str:
    """The ds, checked against a table's grain. Raises UsageError that names the table."""
    if grain_of(ds) is not node.settings.grain:
        raise UsageError(
            f"{node} is a table of grain {node.settings.grain.value}; {ds!r} is a ds of grain {grain_of(ds).value}: "
            f"write it as {node.settings.grain.example}"
        )
    return ds
