"""Column statistics for moto's Glue, which has none: kept as they were given, by table and partition."""

import json
from collections import defaultdict

from moto.glue.exceptions import EntityNotFoundException
from moto.glue.responses import GlueResponse

kept: dict[tuple[str, ...], dict[str, dict]] = defaultdict(dict)


def _place(response: GlueResponse) -> tuple[str, ...]:
    given = response.parameters
    return (given["DatabaseName"], given["TableName"], *given.get("PartitionValues", []))


def _get(response: GlueResponse) -> str:
    wanted, found = response.parameters["ColumnNames"], kept[_place(response)]
    return json.dumps({"ColumnStatisticsList": [found[name] for name in wanted if name in found], "Errors": []})


def _update(response: GlueResponse) -> str:
    given = response.parameters["ColumnStatisticsList"]
    assert len(given) <= 25, "Glue's limit"
    kept[_place(response)].update({each["ColumnName"]: each for each in given})
    return json.dumps({"Errors": []})


def _delete(response: GlueResponse) -> str:
    if kept[_place(response)].pop(response.parameters["ColumnName"], None) is None:
        raise EntityNotFoundException("no statistics")
    return "{}"


def install() -> None:
    """Give moto's server, which runs in this process, the calls that it lacks."""
    kept.clear()
    for level in ("table", "partition"):
        setattr(GlueResponse, f"get_column_statistics_for_{level}", _get)
        setattr(GlueResponse, f"update_column_statistics_for_{level}", _update)
        setattr(GlueResponse, f"delete_column_statistics_for_{level}", _delete)
