"""The datasets that Superset is given: the newest slice of each table, and `slices`. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dayslice.rules.calendar import Grain
from dayslice.rules.graph import TableNode
from dayslice.rules.schedules import duration_of

DS_FORMAT = {Grain.DAY: "%Y-%m-%d", Grain.HOUR: "%Y-%m-%dT%H", Grain.QUARTER_HOUR: "%Y-%m-%dT%H%M"}
SLICES = "slices"
SLICES_SCHEMA = "warehouse"
SLICES_COLUMNS = {
    "schema_name": "The schema of the table.",
    "table_name": "The name of the table.",
    "ds": "The slice: published, or the next one that is expected.",
    "published": "When its newest version was published, UTC; null if it is not there yet.",
    "rows": "The rows of its published version.",
    "late_at": "When it is late, UTC, as `late_after` says; null where the table has no such setting.",
    "late": "Whether it was published after that time, or is not there though the time is past.",
}


@dataclass(frozen=True)
class Dataset:
    """One dataset. `name` is what a chart's file calls it; `table` is the base table, None for `slices`."""

    name: str
    schema: str
    relation: str
    description: str
    columns: Mapping[str, str]
    owner: str = ""
    table: TableNode | None = None
    time_column: str = "ds"
    ds_format: str = "%Y-%m-%d"
    columns_known: bool = True
    cache_seconds: int | None = field(default=None)

    @property
    def late_after_seconds(self) -> int | None:
        """From the period's end to when a slice is late; None where nobody waits for it."""
        late_after = self.table.settings.late_after if self.table else None
        return None if late_after is None else int(duration_of(late_after, "late_after").total_seconds())


def datasets_of(tables: Iterable[TableNode]) -> dict[str, Dataset]:
    """Every dataset by its name: `flights_flat_latest`, `erp.flights_latest`, `slices`."""
    found = [_dataset_of(node) for node in tables if node.is_import or node.latest_view]
    return {each.name: each for each in (*found, slices_dataset())}


def slices_dataset() -> Dataset:
    """How fresh every table is."""
    return Dataset(
        name=SLICES,
        schema=SLICES_SCHEMA,
        relation=SLICES,
        description="Which slices are published, and which is late; one row per table and ds (the newest 400).",
        columns=SLICES_COLUMNS,
        time_column="published",
        # Lateness comes with time, not with a publication.
        cache_seconds=60,
    )


def _dataset_of(node: TableNode) -> Dataset:
    relation = f"{node.table.name}_latest"
    if node.latest_view:
        relation = node.latest_view.split(".")[-1]
    columns = {name: str(column.get("description") or "") for name, column in node.columns.items()}
    known = bool(columns) and not node.is_import
    return Dataset(
        name=f"{node.name}_latest" if node.is_import else relation,
        schema=node.table.schema,
        relation=relation,
        description=f"{' '.join(node.description.split())} The newest slice of {node.name}.".strip(),
        columns={**columns, "ds": "The slice that the row belongs to."},
        owner=str(node.settings.owner or node.meta.get("owner") or ""),
        table=node,
        ds_format=DS_FORMAT[node.settings.grain],
        columns_known=known,
    )
