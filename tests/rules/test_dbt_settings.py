"""What dbt's docs offer for incremental models is followed by a table of slices, or refused by name."""

import pytest

from dayslice.errors import UsageError
from dayslice.rules.dbt_settings import check_dbt_settings

# As dbt fills a config where nothing was said.
UNSAID = {
    "materialized": "incremental",
    "incremental_strategy": "slice",
    "batch_size": None,
    "lookback": 1,
    "begin": None,
    "event_time": None,
    "concurrent_batches": None,
    "full_refresh": None,
    "unique_key": None,
    "on_schema_change": "ignore",
    "grants": {},
    "partition_by": None,
}


def check(is_local=True, **config):
    node = {
        "resource_type": "model",
        "unique_id": "model.p.flat",
        "name": "flat",
        "original_file_path": "models/flat.sql",
        "config": {**UNSAID, **config},
    }
    check_dbt_settings({"nodes": {"model.p.flat": node}, "sources": {}}, is_local)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"incremental_predicates": ["id > 1"]}, "replaced as a whole"),
        ({"predicates": ["id > 1"]}, "replaced as a whole"),
        ({"merge_update_columns": ["id"]}, "it is for merge"),
        ({"merge_exclude_columns": ["id"]}, "it is for merge"),
        ({"merge_update_condition": "true"}, "it is for merge"),
        ({"full_refresh": True}, "full_refresh: true cannot be followed: it would drop the history"),
        ({"partition_by": "carrier"}, "partitioned by ds"),
        ({"partition_by": ["ds", "carrier"]}, "partitioned by ds"),
        ({"partitioned_by": "ARRAY['carrier']"}, "partitioned by ds"),
        ({"properties": {"format": "'ORC'"}}, "bucketed_by"),
        ({"indexes": [{"columns": ["id"]}]}, "no indexes"),
        ({"location": "s3://other"}, "place of its own"),
        ({"batch_size": "day"}, "dayslice backfill makes many"),
        ({"begin": "2013-01-01"}, "start in the table's meta"),
        ({"lookback": 3}, "range=7"),
        ({"concurrent_batches": False}, "microbatch"),
        ({"grants": {"select": ["reporter"]}}, "no grants on the local engine"),
    ],
)
def test_a_setting_that_would_be_passed_over_is_refused_with_file_and_reason(config, why):
    with pytest.raises(UsageError, match=r"models/flat\.sql: flat: ") as refused:
        check(**config)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"full_refresh": False},
        {"unique_key": "id"},
        {"event_time": "at"},
        {"partition_by": "ds", "incremental_strategy": "delete+insert"},
        {"partition_by": {"field": "ds"}},
        {"sql_header": "set x = 1"},
        {"on_table_exists": "drop"},
        {"incremental_strategy": "microbatch", "batch_size": "day", "begin": "2013-01-01", "lookback": 3},
        {"incremental_strategy": "merge", "incremental_predicates": ["id > 1"], "merge_update_columns": ["id"]},
        {"materialized": "table", "properties": {"format": "'ORC'"}, "full_refresh": True},
    ],
)
def test_what_is_followed_or_belongs_to_the_engine_s_own_materializations_passes(config):
    check(**config)


def test_grants_are_trino_s():
    check(is_local=False, grants={"select": ["reporter"]})
