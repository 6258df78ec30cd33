"""`check`, and every other command, refuses on Trino's target what a Hive metastore cannot hold; DuckDB holds all."""

import pytest

from dayslice.errors import UsageError
from dayslice.runner.project import parse_project
from tests.sql.warehouse_project import copy_settings

MODEL = "select 1 as id"


@pytest.mark.parametrize(
    ("name", "column", "said"),
    [
        ("wörter", "id", "models/m.yml: wörter: the table name 'wörter' cannot be held"),
        ("t" * 129, "id", "has 129 letters"),
        ("daily", "a,b", "models/m.yml: daily: the column name 'a,b' cannot be held"),
    ],
)
def test_names_are_checked_when_the_project_is_read(tmp_path, monkeypatch, name, column, said):
    copy_settings(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{name}.sql").write_text(MODEL)
    (tmp_path / "models" / "m.yml").write_text(f"models: [{{name: {name}, columns: [{{name: '{column}'}}]}}]")
    monkeypatch.setenv("DAYSLICE_WAREHOUSE", "s3://bucket/prefix")
    with pytest.raises(UsageError) as refused:
        parse_project(tmp_path, "trino")
    assert said in str(refused.value)
    if column != "id":
        monkeypatch.delenv("DAYSLICE_WAREHOUSE")
        assert list(parse_project(tmp_path).tables)
