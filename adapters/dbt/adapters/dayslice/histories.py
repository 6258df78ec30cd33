"""What `asof()` and `history()` ask: which slice of a table is the newest at or before a date."""

from typing import Any

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.jinja import for_jinja, while_parsing
from dbt.adapters.dayslice.reading import ReadsSlices

from dayslice.errors import Refused, UsageError
from dayslice.rules.arguments import AsofArguments, HistoryArguments, asof_arguments, history_arguments
from dayslice.rules.calendar import cover
from dayslice.rules.graph import Node, find, is_slices, read_by_name, table_node, table_of, waits_of
from dayslice.rules.settings import Kind
from dayslice.rules.slices import Table
from dayslice.rules.waits import date_of, newest


class ReadsPublished(ReadsSlices, metaclass=AdapterMeta):
    """Mixed into `SliceAdapter`."""

    @while_parsing
    def asof_arguments(self, model: Node, is_this: bool, *given: Any) -> AsofArguments:
        """The arguments of `asof()`, checked."""
        return asof_arguments(model["original_file_path"], is_this, *given)

    @while_parsing
    def history_arguments(self, model: Node, *given: Any) -> HistoryArguments:
        """The arguments of `history()`, checked."""
        return history_arguments(model["original_file_path"], *given)

    @for_jinja
    def slice_as_of(self, graph: Node, model: Node, name: str, source: str | None, date: str, ds: str) -> str:
        """The newest published ds at or before a date; where there is none, the date's own, which is waited for.

        Refuses a date that the model's wait does not give: one that was made from `ds()`, unseen by the parse.
        """
        unique_id = self.published_id(graph, model, name, source, "asof")
        graph, reader = self._reader(graph, model)
        node = table_node(graph, find(graph, unique_id))
        dates = {date_of(w, ds, self.time_zone) for w in waits_of(graph, reader) if w.asof and w.upstream == unique_id}
        if date not in dates:
            raise UsageError(
                f"{model['original_file_path']}: asof('{name}', …): the date is {date}, which was made from ds(): only "
                f"a ds in quotes and ds(-7) are known before a run, so that the slice can be waited for"
            )
        with self.slice_metastore() as metastore:
            found = newest(metastore.published_ds(node.table), date, node.settings.grain, self.time_zone)
        return found or self.last_within(graph, unique_id, date)

    @for_jinja
    def last_within(self, graph: Node, unique_id: str, date: str) -> str:
        """The last ds of a table within a date of any grain, published or not."""
        if unique_id not in {**graph.get("nodes", {}), **graph.get("sources", {})}:
            graph = self.project_graph  # a unit test's own has no more than its fixtures
        settings = table_node(graph, find(graph, unique_id)).settings
        return cover(date, settings.grain, self.time_zone)[-1]

    @for_jinja
    def published_id(self, graph: Node, model: Node, name: str, source: str | None, macro: str) -> str:
        """The unique_id of a table of slices that a model reads by a macro that looks at what is published."""
        graph, reader = self._reader(graph, model)
        unique_id = read_by_name(graph, reader, name, source)
        if unique_id is None or not is_slices(find(graph, unique_id)):
            raise UsageError(f"{model['original_file_path']}: {macro}('{name}') names no table of slices")
        return unique_id

    @for_jinja
    def own_slice_before(self, relation: Any, ds: str) -> str | None:
        """The newest published slice of the model's own table before a ds, or None."""
        with self.slice_metastore() as metastore:
            own = metastore.published_ds(Table(str(relation.schema), str(relation.identifier)))
        return max((each for each in own if each < ds), default=None)

    @for_jinja
    def place_of(self, unique_id: str) -> dict[str, str]:
        """Where a table's rows stand, in a unit test too, where `ref` is a fixture."""
        table = table_of(find(self.project_graph, unique_id))
        return {"schema": table.schema, "identifier": table.name}

    @for_jinja
    def check_keys(self, model: Node, name: str, key: tuple[str, ...], kept: list[str]) -> None:
        """Refuse a key that is none of the kept columns, and columns that a history names itself."""
        for each in ("valid_from", "valid_to"):
            if each in kept:
                raise UsageError(
                    f"{model['original_file_path']}: history('{name}'): {name} has a column {each}, which a history "
                    f"makes: leave it out, without=['{each}'], or give it another name before"
                )
        for each in key:
            if each not in kept:
                raise UsageError(
                    f"{model['original_file_path']}: history('{name}', key=…): {name} has no column {each!r}; it has "
                    f"{', '.join(kept)}"
                )

    @for_jinja
    def refuse_repeated_keys(self, model: Node, name: str, ds: str, key: tuple[str, ...], repeated: int) -> None:
        """Refuse a snapshot in which a key is null or stands twice: its rows cannot be told apart."""
        if repeated:
            raise Refused(
                f"{model['name']} {ds}: {name} has {repeated} values of {', '.join(key)} that are null or in several "
                f"rows, so its history cannot tell rows apart; nothing was published. Give history() a key"
            )

    @for_jinja
    def check_history(self, graph: Node, model: Node, unique_id: str) -> None:
        """Refuse a history of a table whose slices are no snapshots, or of another grain."""
        if model["resource_type"] == "unit_test":
            return
        upstream = table_node(graph, find(graph, unique_id))
        if upstream.settings.kind is Kind.EVENTS:
            raise UsageError(
                f"{model['original_file_path']}: history('{upstream}'): its slices are events, so each row would end a "
                f"day later: a history is made from snapshots (`slice: cumulative`)"
            )
        own = table_node(graph, model).settings.grain if is_slices(model) else upstream.settings.grain
        if own is not upstream.settings.grain:
            raise UsageError(
                f"{model['original_file_path']}: history('{upstream}'): {upstream} has the grain "
                f"{upstream.settings.grain.value} and this table {own.value}: give both the same"
            )
