"""One test suite for every metastore: SQLite's file, Hive over Thrift, Glue (moto's server)."""

import boto3
import pytest
import requests

from dayslice.metastore.sqlite import SQLiteMetastore

ORC = "org.apache.hadoop.hive.ql.io.orc.Orc"


def sqlite_metastore(request):
    folder = request.getfixturevalue("tmp_path")
    with SQLiteMetastore(folder / "metastore.sqlite") as metastore:
        yield metastore


def hive_metastore(request):
    from pymetastore.hive_metastore import ttypes  # noqa: PLC0415

    from dayslice.metastore.hive import HiveMetastore, connect  # noqa: PLC0415

    stack = request.getfixturevalue("stack")
    with connect(stack.metastore.uri) as client:
        if "analytics" not in client.get_all_databases():
            client.create_database(ttypes.Database(name="analytics", locationUri=f"{stack.warehouse}/analytics"))
        if "_dayslice" in client.get_all_databases():
            for name in client.get_all_tables("_dayslice"):
                client.drop_table("_dayslice", name, False)
        for name, sorted_by in (("t", []), ("ordered", [ttypes.Order("a", 1), ttypes.Order("B", 0)])):
            if name in client.get_all_tables("analytics"):
                client.drop_table("analytics", name, False)
            client.create_table(
                ttypes.Table(
                    dbName="analytics",
                    tableName=name,
                    tableType="EXTERNAL_TABLE",
                    parameters={"EXTERNAL": "TRUE"},
                    partitionKeys=[ttypes.FieldSchema("ds", "string", "")],
                    sd=ttypes.StorageDescriptor(
                        cols=[ttypes.FieldSchema("a", "bigint", ""), ttypes.FieldSchema("B", "bigint", "")],
                        location=f"{stack.warehouse}/analytics/{name}",
                        inputFormat=f"{ORC}InputFormat",
                        outputFormat=f"{ORC}OutputFormat",
                        serdeInfo=ttypes.SerDeInfo(serializationLib=f"{ORC}Serde", parameters={}),
                        parameters={},
                        bucketCols=["B"] if sorted_by else [],
                        sortCols=sorted_by,
                        numBuckets=8 if sorted_by else -1,
                    ),
                )
            )
    with HiveMetastore(stack.metastore.uri) as metastore:
        yield metastore


def glue_metastore(request):
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    from dayslice.metastore.glue import GlueMetastore  # noqa: PLC0415
    from tests.metastore import glue_statistics  # noqa: PLC0415

    glue_statistics.install()
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)  # moto's state outlives its server
    client = boto3.client(
        "glue",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="stand-in",
        aws_secret_access_key="stand-in",
    )
    client.create_database(DatabaseInput={"Name": "analytics"})
    columns = {"Columns": [{"Name": "a", "Type": "bigint"}, {"Name": "B", "Type": "bigint"}]}
    sorted_by = [{"Column": "a", "SortOrder": 1}, {"Column": "B", "SortOrder": 0}]
    buckets = {"BucketColumns": ["B"], "NumberOfBuckets": 8, "SortColumns": sorted_by}
    for name, more in (("t", {}), ("ordered", buckets)):
        place = {**columns, **more, "OutputFormat": f"{ORC}OutputFormat", "Location": f"s3://w/analytics/{name}"}
        keys = [{"Name": "ds", "Type": "string"}]
        entry = {"Name": name, "PartitionKeys": keys, "StorageDescriptor": place}
        client.create_table(DatabaseName="analytics", TableInput=entry)
    try:
        with GlueMetastore(client=client) as metastore:
            yield metastore
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("hive", marks=pytest.mark.trino), "glue"])
def metastore(request):
    made = {
        "sqlite": sqlite_metastore,
        "hive": hive_metastore,
        "glue": glue_metastore,
    }
    yield from made[request.param](request)
