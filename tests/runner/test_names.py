"""`check`, and every other command, refuses on Trino's target what a Hive metastore cannot hold; DuckDB holds all."""

import pytest

from dayslice.errors import UsageError
from dayslice.runner.project import parse_project
from tests.sql.warehouse_project import WarehouseProject, begin_with_parsed_macros


@pytest.mark.parametrize(
    ("name", "column", "said"),
    [
        ("wörter", "id", "models/m.yml: wörter: the table name 'wörter' cannot be held"),
        ("t" * 129, "id", "has 129 letters"),
        ("daily", "a,b", "models/m.yml: daily: the column name 'a,b' cannot be held"),
    ],
)
def test_names_are_checked_when_the_project_is_read(tmp_path, monkeypatch, name, column, said):
    listed = f"models: [{{name: {name}, columns: [{{name: '{column}'}}]}}]"
    WarehouseProject(tmp_path, {f"models/{name}.sql": "select 1 as id", "models/m.yml": listed})
    monkeypatch.setenv("DAYSLICE_WAREHOUSE", "s3://bucket/prefix")
    begin_with_parsed_macros(tmp_path, "trino")
    with pytest.raises(UsageError) as refused:
        parse_project(tmp_path, "trino")
    assert said in str(refused.value)
    if column != "id":
        monkeypatch.delenv("DAYSLICE_WAREHOUSE")
        begin_with_parsed_macros(tmp_path)
        assert list(parse_project(tmp_path).tables)
