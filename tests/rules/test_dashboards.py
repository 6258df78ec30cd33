"""Dashboards' files: to Superset and back, and what is wrong with them."""

import copy
import json
from pathlib import Path

import pytest

from dayslice.errors import UsageError
from dayslice.rules.dashboard_checks import DashboardFiles, check_columns, check_dashboards
from dayslice.rules.dashboards import (
    chart_from_superset,
    chart_to_superset,
    dashboard_from_superset,
    dashboard_to_superset,
    uuid_of,
)
from dayslice.rules.graph import TableNode
from dayslice.rules.settings import read_settings
from dayslice.rules.slices import Table
from dayslice.services.superset.bundle import read_dashboards

METRIC = {"expressionType": "SIMPLE", "aggregate": "SUM", "column": {"column_name": "flights"}, "label": "Flights"}
CHART = {
    "slice_name": "Flights",
    "viz_type": "table",
    "dataset": "airport_daily_latest",
    "params": {"groupby": ["airport"], "metrics": [METRIC]},
    "query_context": {"queries": [{"columns": ["airport"], "metrics": [METRIC], "filters": []}]},
}
BOARD = {
    "dashboard_title": "Airports",
    "slug": "airports",
    "layout": [
        {
            "type": "TABS",
            "id": "TABS-1",
            "children": [
                {
                    "type": "TAB",
                    "text": "One",
                    "id": "TAB-1",
                    "children": [
                        {"type": "ROW", "children": [{"chart": "flights", "width": 4, "height": 50}]},
                        {"type": "MARKDOWN", "code": "# hello", "height": 20, "width": 4},
                    ],
                }
            ],
        }
    ],
}


def table(name, columns=(), schema="analytics", is_import=False):
    unique_id = f"source.dayslice.{schema}.{name}" if is_import else f"model.dayslice.{name}"
    return TableNode(
        unique_id=unique_id,
        table=Table(schema, name),
        is_import=is_import,
        settings=read_settings({}, "f.yml: t", is_import=False),
        meta={},
        path="",
        yaml="",
        description=f"{name}; one row per thing.",
        columns={each: {"description": f"The {each}."} for each in columns},
        waits=(),
        latest_view=None if is_import else f"model.dayslice.{name}_latest",
    )


TABLES = [table("airport_daily", ["airport", "flights"]), table("airlines", schema="erp", is_import=True)]


def files(chart=None, board=None):
    return DashboardFiles({"flights": {**CHART, **(chart or {})}}, {"airports": {**BOARD, **(board or {})}})


def test_a_chart_that_goes_through_superset_is_the_same_text():
    put = chart_to_superset("flights", CHART, uuid_of("dataset", CHART["dataset"]))
    exported = json.loads(json.dumps(put))
    exported["params"] |= {"datasource": "7__table", "slice_id": 4, "dashboards": [1], "annotation_layers": []}
    context = json.loads(exported["query_context"])
    assert context["form_data"]["groupby"] == ["airport"]
    exported["query_context"] = json.dumps({**context, "datasource": {"id": 7, "type": "table"}})
    assert chart_from_superset("flights", exported, CHART["dataset"]) == CHART


def test_a_dashboard_that_goes_through_superset_is_the_same_text():
    put = dashboard_to_superset("airports", copy.deepcopy(BOARD), {"flights": CHART})
    exported = json.loads(json.dumps(put))
    for each in exported["position"].values():
        if isinstance(each, dict) and each["type"] == "CHART":
            each["meta"]["chartId"] = 11
    exported["metadata"]["chart_configuration"] = {"11": {"id": 11}}
    assert dashboard_from_superset("airports", exported, {uuid_of("chart", "flights"): "flights"}, {}) == BOARD


def test_what_was_made_in_the_browser_keeps_the_id_that_it_has_there():
    given = "0b1e7b6a-3a55-4a53-9f0b-6d5d5b3f3c11"
    put = chart_to_superset("flights", CHART, uuid_of("dataset", CHART["dataset"])) | {"uuid": given}
    file = chart_from_superset("flights", put, CHART["dataset"])
    assert file == {**CHART, "uuid": given}
    assert chart_to_superset("flights", file, put["dataset_uuid"])["uuid"] == given
    position = dashboard_to_superset("airports", BOARD, {"flights": file})["position"]
    assert given in json.dumps(position)


def test_every_place_of_a_layout_knows_its_parents_and_its_chart():
    position = dashboard_to_superset("airports", BOARD, {"flights": CHART})["position"]
    (chart,) = [each for each in position.values() if isinstance(each, dict) and each["type"] == "CHART"]
    assert chart["parents"] == ["ROOT_ID", "TABS-1", "TAB-1", "ROW-0-0-0"]
    assert chart["meta"]["uuid"] == uuid_of("chart", "flights")
    assert position["ROOT_ID"]["children"] == ["TABS-1"]


def test_what_fits_passes():
    check_dashboards(files(), TABLES, {"airports": ["model.dayslice.airport_daily_latest"]})


@pytest.mark.parametrize(
    ("chart", "board", "said"),
    [
        ({"dataset": "gone_latest"}, {}, "flights.yaml: there is no dataset 'gone_latest'"),
        ({"params": {"groupby": ["gate"]}}, {}, "params: groupby: airport_daily_latest has no column 'gate'"),
        ({"params": {"x_axis": "gate"}}, {}, "params: x_axis: airport_daily_latest has no column 'gate'"),
        (
            {"params": {"metric": {**METRIC, "column": {"column_name": "gates"}}}},
            {},
            "params: metric: airport_daily_latest has no column 'gates'",
        ),
        (
            {"params": {"adhoc_filters": [{"expressionType": "SIMPLE", "subject": "gate"}]}},
            {},
            "params: adhoc_filters: airport_daily_latest has no column 'gate'",
        ),
        (
            {"query_context": {"queries": [{"columns": [], "filters": [{"col": "gate", "op": "==", "val": 1}]}]}},
            {},
            "query_context: queries[0]: filters: airport_daily_latest has no column 'gate'",
        ),
        ({"query_context": None}, {}, "flights.yaml: query_context is missing"),
        ({"viz_type": ""}, {}, "flights.yaml: viz_type is missing"),
        ({"datasat": "x"}, {}, "flights.yaml: unknown key 'datasat'"),
        ({}, {"layout": [{"chart": "flightz"}]}, "airports.yaml: there is no chart 'flightz'"),
        ({}, {"dashboard_title": ""}, "airports.yaml: dashboard_title is missing"),
        ({}, {"colour": "red"}, "airports.yaml: unknown key 'colour'"),
        (
            {},
            {
                "metadata": {
                    "native_filter_configuration": [{"targets": [{"dataset": "gone", "column": {"name": "a"}}]}]
                }
            },
            "airports.yaml: a filter names the dataset 'gone'",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_file(chart, board, said):
    with pytest.raises(UsageError) as refused:
        check_dashboards(files(chart, board), TABLES)
    assert said in str(refused.value)


def test_a_model_that_loses_a_column_breaks_its_charts_by_name():
    with pytest.raises(UsageError, match=r"charts/flights.yaml: .* has no column 'airport'"):
        check_dashboards(files(), [table("airport_daily", ["flights"])])


def test_a_column_of_an_import_is_checked_when_the_engine_has_said_its_columns():
    chart = {"dataset": "erp.airlines_latest", "params": {"groupby": ["nome"]}, "query_context": {"queries": [{}]}}
    check_dashboards(files(chart), TABLES)
    check_columns(files({**chart, "params": {"groupby": ["name"]}}), {"erp.airlines_latest": ["name", "ds"]})
    with pytest.raises(UsageError, match=r"erp\.airlines_latest has no column 'nome'"):
        check_columns(files(chart), {"erp.airlines_latest": ["name", "ds"]})


@pytest.mark.parametrize(
    ("exposures", "said"),
    [
        ({}, r"no exposure 'airports' .*depends_on ref\('airport_daily_latest'\)"),
        ({"airports": []}, r"exposure 'airports' does not say that it reads ref\('airport_daily_latest'\)"),
    ],
)
def test_a_dashboard_is_in_the_lineage_of_what_it_shows(exposures, said):
    with pytest.raises(UsageError, match=said):
        check_dashboards(files(), TABLES, exposures)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path):
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "x.yaml").write_text("a: [")
    with pytest.raises(UsageError, match=r"dashboards/x\.yaml: this is no YAML"):
        read_dashboards(tmp_path)
