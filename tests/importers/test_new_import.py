"""`dayslice new import` writes a file that dbt parses, and that imports at once."""

import pytest
import yaml
from click.testing import CliRunner

from dayslice.commands.new import command
from dayslice.errors import UsageError
from dayslice.project import load_project
from importers.run import import_tables
from tests.sql.warehouse_project import WarehouseProject

TABLE = """
create table "Orders" (
    id int primary key generated always as identity,
    customer text not null,
    "Unit Price" numeric,
    secret text,
    made timestamptz
);
comment on table "Orders" is 'What was sold';
comment on column "Orders".customer is 'Who bought';
insert into "Orders" (customer, "Unit Price", made) values ('a', 1.005, '2013-01-05 12:00+00');
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    made = WarehouseProject(tmp_path, {"models/erp.yml": (
        "sources: [{name: erp, config: {meta: {connection: source, owner: shop}}, tables: [{name: other}]}]"
    )})  # fmt: skip
    monkeypatch.chdir(tmp_path)
    return made


def run(*arguments):
    return CliRunner().invoke(command, ["import", *arguments], standalone_mode=False, catch_exceptions=False)


def test_what_is_written_has_what_postgres_knows_and_imports_at_once(database, project):
    database.execute(TABLE)
    run("erp.orders", "--from", "public.Orders", "--events-on", "made")
    written = yaml.safe_load((project.root / "models/erp/orders.yml").read_text())
    [source] = written["sources"]
    assert source["config"]["meta"] == {"connection": "source", "owner": "shop"}
    [table] = source["tables"]
    assert table["description"] == "What was sold. One row per id."
    assert table["config"]["meta"] == {
        "slice": "events",
        "on": "made",
        "source_table": "Orders",
        "types": {"Unit Price": "text"},
    }
    assert table["columns"] == [
        {"name": "id", "data_type": "integer", "data_tests": ["unique", "not_null"]},
        {"name": "customer", "description": "Who bought", "data_type": "varchar", "data_tests": ["not_null"]},
        {"name": "unit_price_14f624", "description": "Unit Price in the source.", "data_type": "varchar"},
        {"name": "secret", "data_type": "varchar"},
        {"name": "made", "data_type": "timestamptz"},
    ]
    parsed = load_project(project.root)
    [result] = import_tables(parsed, [parsed.find("erp.orders")], "2013-01-05")
    assert result.error is None
    assert project.query("select id, customer from erp.orders_latest") == [(1, "a")]


def test_what_is_there_is_not_written_over(database, project):
    with pytest.raises(UsageError, match=r"erp.other is an import already, in models/erp.yml"):
        run("erp.other")
    with pytest.raises(UsageError, match=r"no table public.nothing in the source database"):
        run("erp.nothing")
    assert not (project.root / "models/erp").exists()
