"""Dashboards and charts as a person keeps them in files, and as Superset's bundles have them. Pure.

A chart's file names its dataset; a dashboard's names its charts, in a layout that is a tree. What Superset adds to
that (ids of every kind, places of children, a copy of the form in the query) is made here, and taken away again, so
that the same dashboard is the same text.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from dayslice.errors import UsageError

VERSION = "1.0.0"
NAMESPACE = uuid.UUID("6f7a3a1e-2f5c-5d0b-9f0e-0d5a1ce0d5a1")
DATABASE = "Dayslice"
Document = dict[str, Any]

CHART_KEYS = ("slice_name", "description", "viz_type", "dataset", "cache_timeout", "params", "query_context", "uuid")
DASHBOARD_KEYS = ("dashboard_title", "slug", "description", "css", "metadata", "layout", "uuid")
# Of the form: what says where it was saved, not what it shows.
_FORM_NOISE = ("datasource", "dashboards", "slice_id", "url_params", "viz_type", "dashboardId", "form_data_key")
_METADATA_NOISE = (
    "chart_configuration",
    "global_chart_configuration",
    "shared_label_colors",
    "map_label_colors",
    "positions",
    "chartsInScope",
    "tabsInScope",
    "default_filters",
)


def uuid_of(kind: str, name: str) -> str:
    """The id of an asset by its name: the same on every machine."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{name}"))


def own_uuid(kind: str, name: str, document: Mapping[str, Any]) -> str:
    """The id of a chart or dashboard: of its name, or the one that it was given in the browser where it was made."""
    return str(document.get("uuid") or uuid_of(kind, name))


def refuse_unknown_keys(file: str, document: Document, known: tuple[str, ...]) -> None:
    """Raise UsageError for a key that nothing reads, and for a file that is no mapping."""
    if not isinstance(document, dict):
        raise UsageError(f"{file}: not a mapping of {', '.join(known)}")
    for key in document:
        if key not in known:
            raise UsageError(f"{file}: unknown key {key!r}; the keys are {', '.join(known)}")


def chart_to_superset(name: str, chart: Document, dataset_uuid: str) -> Document:
    """A chart's file as Superset imports it."""
    form = {**chart["params"], "viz_type": chart["viz_type"]}
    context = chart.get("query_context")
    whole = None
    if context is not None:
        # The id is put in by Superset, which alone knows it.
        source = {"id": 0, "type": "table"}
        whole = json.dumps(
            {"datasource": source, "force": False, "result_format": "json", "result_type": "full", **context}
            | {"form_data": dict(form)}
        )
    return {
        "slice_name": chart["slice_name"],
        "description": chart.get("description"),
        "viz_type": chart["viz_type"],
        "params": form,
        "query_context": whole,
        "cache_timeout": chart.get("cache_timeout"),
        "uuid": own_uuid("chart", name, chart),
        "dataset_uuid": dataset_uuid,
        "version": VERSION,
    }


def chart_from_superset(name: str, exported: Document, dataset: str) -> Document:
    """What a chart's file holds, of what Superset exports."""
    text = exported.get("query_context")
    context = json.loads(text) if text else None
    found: Document = {
        "slice_name": exported["slice_name"],
        "description": exported.get("description"),
        "viz_type": exported["viz_type"],
        "dataset": dataset,
        "cache_timeout": exported.get("cache_timeout"),
        "params": _form(exported["params"]),
        "uuid": _given_uuid("chart", name, exported),
    }
    if context is not None:
        queries = [_without(query, ("datasource", "url_params")) for query in context.get("queries", ())]
        found["query_context"] = {"queries": queries}
    return {key: found[key] for key in CHART_KEYS if found.get(key) is not None}


def dashboard_to_superset(name: str, dashboard: Document, charts: Mapping[str, Document]) -> Document:
    """A dashboard's file as Superset imports it. `charts` are those of the files, by name."""
    position: Document = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": []},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard["dashboard_title"]}},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
    }
    layout = dashboard.get("layout") or []
    tabs = len(layout) == 1 and layout[0]["type"] == "TABS"
    parent = "ROOT_ID" if tabs else "GRID_ID"
    if not tabs:
        position["ROOT_ID"]["children"] = ["GRID_ID"]
    parents = ["ROOT_ID"] if tabs else ["ROOT_ID", "GRID_ID"]
    position[parent]["children"] = [
        _place(position, node, parents, (number,), charts) for number, node in enumerate(layout)
    ]
    return {
        "dashboard_title": dashboard["dashboard_title"],
        "description": dashboard.get("description"),
        "css": dashboard.get("css") or "",
        "slug": dashboard.get("slug") or name,
        "uuid": own_uuid("dashboard", name, dashboard),
        "position": position,
        "metadata": _filters_to_superset(dashboard.get("metadata") or {}),
        "published": True,
        "version": VERSION,
    }


def dashboard_from_superset(
    name: str, exported: Document, chart_names: Mapping[str, str], dataset_names: Mapping[str, str]
) -> Document:
    """What a dashboard's file holds, of what Superset exports. Names are given by uuid."""
    position = exported["position"]
    root = position["ROOT_ID"]["children"]
    top = position["GRID_ID"]["children"] if root == ["GRID_ID"] else root
    metadata = _without(exported.get("metadata") or {}, _METADATA_NOISE)
    for each in metadata.get("native_filter_configuration", ()):
        for noise in _METADATA_NOISE:
            each.pop(noise, None)
        for target in each.get("targets", ()):
            if "datasetUuid" in target:
                target["dataset"] = dataset_names[target.pop("datasetUuid")]
    found: Document = {
        "dashboard_title": exported["dashboard_title"],
        "slug": exported.get("slug"),
        "description": exported.get("description"),
        "css": exported.get("css") or None,
        "metadata": dict(sorted((key, value) for key, value in metadata.items() if value not in ({}, [], "", None))),
        "layout": [_tree(position, each, chart_names) for each in top],
        "uuid": _given_uuid("dashboard", name, exported),
    }
    return {key: found[key] for key in DASHBOARD_KEYS if found.get(key)}


def charts_of(layout: Any) -> Iterator[str]:
    """The charts that a layout names, in its order."""
    for node in layout or ():
        if "chart" in node:
            yield node["chart"]
        yield from charts_of(node.get("children"))


def charts_placed(exported: Document) -> set[str]:
    """The ids of the charts on a dashboard, as Superset exports it."""
    nodes = [each for each in (exported.get("position") or {}).values() if isinstance(each, dict)]
    return {str(each["meta"]["uuid"]) for each in nodes if each.get("type") == "CHART"}


def filter_targets(metadata: Document) -> Iterator[tuple[str, str | None]]:
    """The datasets and columns that a dashboard's filters name."""
    for each in metadata.get("native_filter_configuration", ()):
        for target in each.get("targets", ()):
            if "dataset" in target:
                yield target["dataset"], (target.get("column") or {}).get("name")


def columns_of(chart: Document) -> Iterator[tuple[str, str]]:
    """The columns that a chart reads, each with where in the file it is named. SQL expressions are not looked into."""
    params, context = chart.get("params") or {}, chart.get("query_context") or {}
    yield from _columns(params, "params")
    for number, query in enumerate(context.get("queries", ())):
        yield from _columns(query, f"query_context: queries[{number}]")


_COLUMN_LISTS = (
    "groupby",
    "columns",
    "all_columns",
    "groupbyColumns",
    "groupbyRows",
    "series_columns",
    "order_by_cols",
)
_COLUMN_KEYS = (*_COLUMN_LISTS, "x_axis", "granularity", "granularity_sqla", "entity", "all_columns_x", "all_columns_y")
_METRIC_LISTS = ("metrics", "metrics_b", "percent_metrics")
_METRIC_KEYS = (*_METRIC_LISTS, "metric", "timeseries_limit_metric", "secondary_metric", "series_limit_metric", "size")


def _columns(form: Document, where: str) -> Iterator[tuple[str, str]]:
    for key in _COLUMN_KEYS:
        for each in _listed(form.get(key)):
            if isinstance(each, str) and not each.startswith("["):
                yield each, f"{where}: {key}"
    for key in _METRIC_KEYS:
        for each in _listed(form.get(key)):
            if isinstance(each, dict) and each.get("expressionType") == "SIMPLE":
                yield each["column"]["column_name"], f"{where}: {key}"
    for each in _listed(form.get("adhoc_filters")):
        if each.get("expressionType") == "SIMPLE":
            yield each["subject"], f"{where}: adhoc_filters"
    for each in _listed(form.get("filters")):
        if isinstance(each.get("col"), str):
            yield each["col"], f"{where}: filters"


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _place(
    position: Document, node: Document, parents: list[str], path: tuple[int, ...], charts: Mapping[str, Document]
) -> str:
    """Put one node of the tree, and all below it, in Superset's flat form. Its id there."""
    kind = "CHART" if "chart" in node else node["type"]
    own = node.get("id") or f"{kind}-{'-'.join(map(str, path))}"
    meta = {key: value for key, value in node.items() if key not in ("type", "chart", "children", "id")}
    if kind == "CHART":
        chart = node["chart"]
        # The number ties this place to references in the metadata; Superset puts its own for both.
        chart_uuid = own_uuid("chart", chart, charts[chart])
        number = int(uuid.UUID(chart_uuid)) % 1_000_000_007
        meta |= {"uuid": chart_uuid, "chartId": number, "sliceName": charts[chart]["slice_name"]}
    if kind == "ROW":
        meta.setdefault("background", "BACKGROUND_TRANSPARENT")
    children = node.get("children") or []
    position[own] = {"type": kind, "id": own, "children": [], "parents": parents, "meta": meta}
    below = [*parents, own]
    position[own]["children"] = [_place(position, each, below, (*path, n), charts) for n, each in enumerate(children)]
    return own


def _tree(position: Document, own: str, chart_names: Mapping[str, str]) -> Document:
    node = position[own]
    meta = dict(node.get("meta") or {})
    if node["type"] == "CHART":
        return {"chart": chart_names[meta["uuid"]], **{key: meta[key] for key in ("width", "height") if key in meta}}
    if meta.get("background") == "BACKGROUND_TRANSPARENT":
        del meta["background"]
    meta.pop("0", None)
    found: Document = {"type": node["type"], **dict(sorted(meta.items()))}
    # Only a tab's id is named elsewhere: in the scopes of filters.
    if node["type"] in ("TAB", "TABS"):
        found["id"] = own
    if node.get("children"):
        found["children"] = [_tree(position, each, chart_names) for each in node["children"]]
    return found


def _filters_to_superset(metadata: Document) -> Document:
    made: Document = json.loads(json.dumps(metadata))
    for each in made.get("native_filter_configuration", ()):
        for target in each.get("targets", ()):
            if "dataset" in target:
                target["datasetUuid"] = uuid_of("dataset", target.pop("dataset"))
    return made


def _given_uuid(kind: str, name: str, exported: Document) -> str | None:
    """Its id, where that is not what its name gives."""
    own = str(exported["uuid"])
    return None if own == uuid_of(kind, name) else own


def _form(params: Mapping[str, Any]) -> Document:
    """A chart's form without what is not said by anybody: Superset adds the list of annotations to each."""
    form = {key: value for key, value in sorted(params.items()) if key not in _FORM_NOISE}
    if not form.get("annotation_layers", True):
        del form["annotation_layers"]
    return form


def _without(document: Mapping[str, Any], noise: tuple[str, ...]) -> Document:
    return {key: value for key, value in document.items() if key not in noise}
