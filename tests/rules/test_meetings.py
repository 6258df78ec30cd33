"""Names that would be one in the engine are refused, with both."""

import pytest

from dayslice.errors import UsageError
from dayslice.rules.meetings import made_in, refuse_meetings


def source(name, schema="erp", identifier=None, connection="erp"):
    return {
        "unique_id": f"source.p.erp.{name}",
        "resource_type": "source",
        "source_name": "erp",
        "name": name,
        "identifier": identifier or name,
        "schema": schema,
        "original_file_path": f"models/erp/{name}.yml",
        "config": {"meta": {"connection": connection} if connection else {}},
    }


def model(name, schema="analytics", kind="incremental", alias=None):
    return {
        "unique_id": f"model.p.{name}",
        "resource_type": "model",
        "name": name,
        "alias": alias or name,
        "schema": schema,
        "original_file_path": f"models/{name}.sql",
        "config": {"materialized": kind, "meta": {}},
    }


def graph(*nodes):
    return {
        "sources": {each["unique_id"]: each for each in nodes if each["resource_type"] == "source"},
        "nodes": {each["unique_id"]: each for each in nodes if each["resource_type"] != "source"},
    }


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ([source("orders"), source("orders_latest")], ("erp.orders_latest", "erp.orders's orders_latest")),
        ([source("r1"), source("R1")], ("erp.R1", "erp.r1")),
        ([source("a", identifier="x"), source("b", identifier="X")], ("erp.b", "erp.a")),
        ([source("orders"), source("orders__landed")], ("erp.orders__landed", "orders__landed")),
        ([source("orders"), model("orders", schema="ERP")], ("orders", "erp.orders")),
        ([source("orders"), model("orders_latest", schema="erp", kind="view")], ("orders_latest", "erp.orders")),
        ([model("a", alias="same"), model("b", alias="Same")], ("a", "b")),
    ],
)
def test_two_that_would_be_one_are_refused_with_both_names(nodes, names):
    with pytest.raises(UsageError, match="one over the other") as error:
        refuse_meetings(made_in(graph(*nodes)))
    for name in names:
        assert name in str(error.value)
    assert ".yml" in str(error.value) or ".sql" in str(error.value)


@pytest.mark.parametrize(
    "nodes",
    [
        [source("orders"), model("orders"), source("orders_later")],
        [source("a", connection=None), model("a", schema="erp")],
        [model("a"), model("b", kind="ephemeral", alias="a")],
    ],
)
def test_others_are_not(nodes):
    refuse_meetings(made_in(graph(*nodes)))
