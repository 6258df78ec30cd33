"""What is wrong with the files of `dashboards/`, seen from the dbt graph. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.dashboards import (
    CHART_KEYS,
    DASHBOARD_KEYS,
    Document,
    charts_of,
    columns_of,
    filter_targets,
    refuse_unknown_keys,
)
from dayslice.rules.datasets import Dataset, datasets_of
from dayslice.rules.graph import TableNode

_CHART_NEEDS = ("slice_name", "viz_type", "dataset", "params")


@dataclass(frozen=True)
class DashboardFiles:
    """The files of `dashboards/`, read: charts and dashboards by the names of their files."""

    charts: Mapping[str, Document]
    dashboards: Mapping[str, Document]


def check_dashboards(
    files: DashboardFiles, tables: Iterable[TableNode], exposures: Mapping[str, Iterable[str]] | None = None
) -> None:
    """Raise UsageError that names every chart that cannot work, with what to do.

    `exposures`: the names of the dbt graph's exposures, each with the models and sources that it says it reads; None
    where they are not looked at.
    """
    datasets = datasets_of(tables)
    faults = [*_of_charts(files.charts, datasets), *_of_dashboards(files, datasets)]
    if exposures is not None and not faults:
        faults += _of_exposures(files, datasets, exposures)
    if faults:
        raise UsageError("\n".join(faults))


def check_columns(files: DashboardFiles, columns: Mapping[str, Iterable[str]]) -> None:
    """The same for columns that only the engine knows: of imports, once their datasets stand."""
    faults = []
    for name, chart in files.charts.items():
        if chart["dataset"] in columns:
            faults += list(_unknown_columns(name, chart, chart["dataset"], set(columns[chart["dataset"]])))
    if faults:
        raise UsageError("\n".join(faults))


def datasets_read(files: DashboardFiles, dashboard: str) -> list[str]:
    """The datasets of a dashboard's charts, each once."""
    charts = charts_of(files.dashboards[dashboard].get("layout"))
    return list(dict.fromkeys(files.charts[chart]["dataset"] for chart in charts))


def _of_charts(charts: Mapping[str, Document], datasets: Mapping[str, Dataset]) -> Iterator[str]:
    for name, chart in charts.items():
        file = f"dashboards/charts/{name}.yaml"
        refuse_unknown_keys(file, chart, CHART_KEYS)
        missing = [key for key in _CHART_NEEDS if not chart.get(key)]
        if missing:
            yield f"{file}: {', '.join(missing)} is missing"
            continue
        dataset = datasets.get(chart["dataset"])
        if dataset is None:
            known = ", ".join(sorted(datasets))
            yield f"{file}: there is no dataset {chart['dataset']!r}; the project has {known}"
            continue
        if not chart.get("query_context"):
            yield (
                f"{file}: query_context is missing: save the chart in the browser, which makes it, and run "
                "dayslice superset export"
            )
        if dataset.columns_known:
            yield from _unknown_columns(name, chart, dataset.name, set(dataset.columns))


def _of_dashboards(files: DashboardFiles, datasets: Mapping[str, Dataset]) -> Iterator[str]:
    for name, dashboard in files.dashboards.items():
        file = f"dashboards/{name}.yaml"
        refuse_unknown_keys(file, dashboard, DASHBOARD_KEYS)
        if not dashboard.get("dashboard_title"):
            yield f"{file}: dashboard_title is missing"
        for chart in charts_of(dashboard.get("layout")):
            if chart not in files.charts:
                yield f"{file}: there is no chart {chart!r}: no file dashboards/charts/{chart}.yaml"
        for wanted, column in filter_targets(dashboard.get("metadata") or {}):
            dataset = datasets.get(wanted)
            if dataset is None:
                yield f"{file}: a filter names the dataset {wanted!r}, which is not there"
            elif dataset.columns_known and column and column not in dataset.columns:
                yield f"{file}: a filter names the column {column!r}, which {wanted} does not have"


def _of_exposures(
    files: DashboardFiles, datasets: Mapping[str, Dataset], exposures: Mapping[str, Iterable[str]]
) -> Iterator[str]:
    for name in files.dashboards:
        wanted = {_node_of(datasets[each]) for each in datasets_read(files, name)} - {None}
        if name not in exposures:
            yield (
                f"dashboards/{name}.yaml: no exposure {name!r} in models/, so that dbt's docs do not know who reads "
                f"these tables: add one, with depends_on {_refs(wanted)}"
            )
        elif missing := wanted - set(exposures[name]):
            yield f"dashboards/{name}.yaml: the exposure {name!r} does not say that it reads {_refs(missing)}"


def _unknown_columns(name: str, chart: Document, dataset: str, known: set[str]) -> Iterator[str]:
    lacking: dict[str, str] = {}
    for column, where in columns_of(chart):
        if column not in known:
            lacking.setdefault(column, where)
    for column, where in lacking.items():
        yield (
            f"dashboards/charts/{name}.yaml: {where}: {dataset} has no column {column!r}: change the chart, or keep "
            "the column in the model"
        )


def _node_of(dataset: Dataset) -> str | None:
    """What an exposure says of a dataset: the latest view of a model, or an import."""
    if dataset.table is None:
        return None
    return dataset.table.latest_view or dataset.table.unique_id


def _refs(nodes: Iterable[Any]) -> str:
    said = []
    for node in sorted(nodes):
        kind, _, rest = node.partition(".")
        parts = rest.split(".")
        said.append(f"source('{parts[1]}', '{parts[2]}')" if kind == "source" else f"ref('{parts[-1]}')")
    return ", ".join(said)
