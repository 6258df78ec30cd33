"""Makes the DAG of each table of an index as Airflow would, and says which it refuses. Reads and writes JSON."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from dayslice.metastore.choice import MetastorePlace
from dayslice.orchestration.dag_index import IndexedTable
from dayslice.orchestration.deployment import Deployment
from dayslice_airflow.dags import table_dag

# As wide as the columns of Airflow's database; SQLite takes any, PostgreSQL refuses.
LONGEST_ID, LONGEST_OWNER, LONGEST_POOL = 250, 500, 256


def refused(asked: Mapping[str, Any]) -> dict[str, str]:
    """Why Airflow refuses a DAG, by its id, for those that it does."""
    deployment = Deployment(
        id="",
        project=Path(),
        home=Path(),
        target="local",
        profile="dayslice",
        time_zone=ZoneInfo(asked["time_zone"]),
        metastore=MetastorePlace("duckdb", ""),
        pools={},
        entries={},
    )
    found = {}
    for entry in asked["tables"]:
        try:
            _check(table_dag(deployment, IndexedTable.from_json(entry)))
        except Exception as error:
            found[entry["dag_id"]] = " ".join(str(error).split()) or type(error).__name__
    return found


def _check(dag: DAG) -> None:
    dag.validate()
    dag.check_cycle()
    for what, value, longest in [
        ("its name", dag.dag_id, LONGEST_ID),
        *(("owner", task.owner, LONGEST_OWNER) for task in dag.tasks),
        *(("the name of its pool", task.pool, LONGEST_POOL) for task in dag.tasks),
    ]:
        if len(value) > longest:
            raise ValueError(f"{what} cannot be longer than {longest} characters: {value[:40]}…")
    DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


if __name__ == "__main__":
    print(json.dumps(refused(json.load(sys.stdin))))
