"""`dayslice new import` writes a file that dbt parses, and that imports at once."""

import pytest
import yaml
from click.testing import CliRunner
from dayslice_importers.run import import_tables

from dayslice.commands.new import command
from dayslice.errors import UsageError
from dayslice.runner.project import load_project
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


DS = "2013-01-05"


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


KEYS = """
create table customers (id int primary key, "Code" text unique, made date not null);
create table regions (id int primary key) partition by hash (id);
create table regions_0 partition of regions for values with (modulus 1, remainder 0);
create table elsewhere (a int, b int, primary key (a, b));
create table orders (
    id int primary key, parent int references orders, customer int not null references customers,
    code text references customers ("Code"), region int references regions, a int, b int,
    foreign key (a, b) references elsewhere
);
insert into customers values (1, 'x', '2013-01-05'), (2, 'y', '2013-01-05');
insert into orders values (1, null, 1, 'x'), (2, 1, 2, null)
"""


def test_foreign_keys_between_imports_are_tests_that_warn(database, project):
    database.execute(KEYS)
    run("erp.customers")
    said = run("erp.orders").output
    [table] = yaml.safe_load((project.root / "models/erp/orders.yml").read_text())["sources"][0]["tables"]
    tests = {column["name"]: column.get("data_tests") for column in table["columns"]}

    def related(to, field):
        return {
            "relationships": {
                "arguments": {"to": f"source('erp', '{to}')", "field": field},
                "config": {"severity": "warn"},
            }
        }

    assert tests == {
        "id": ["unique", "not_null"],
        "parent": [related("orders", "id")],
        "customer": ["not_null", related("customers", "id")],
        "code": [related("customers", "code")],
        "region": None,
        "a": None,
        "b": None,
    }
    assert "region references public.regions, which is no import: nothing tests that yet" in said
    assert said.count("references") == 1, "a key of two columns is none that dbt can test"

    def statuses():
        project.write({})
        results = project.dbt.run(["test", "--select", "source:erp.orders"], DS)
        return {str(result.status) for result in results if result.unique_id.startswith("test.")}

    parsed = load_project(project.root)
    results = import_tables(
        parsed, [parsed.find(f"erp.{name}") for name in ("orders", "customers")], DS, as_of_now=True
    )
    assert [result.error for result in results] == [None, None]
    assert statuses() == {"pass"}
    database.execute(
        "alter table orders drop constraint orders_customer_fkey; update orders set customer = 7 where id = 2"
    )
    import_tables(parsed, [parsed.find("erp.orders")], DS, as_of_now=True)
    assert statuses() == {"pass", "warn"}


def test_what_is_there_is_not_written_over(database, project):
    with pytest.raises(UsageError, match=r"erp.other is an import already, in models/erp.yml"):
        run("erp.other")
    with pytest.raises(UsageError, match=r"no table public.nothing in the source database"):
        run("erp.nothing")
    assert not (project.root / "models/erp").exists()


def test_what_looks_like_jinja_in_the_source_is_read_as_it_is_written(database, project):
    database.execute(
        "create table odd (id int primary key, note text);"
        "comment on table odd is 'Set in {# of old #} and {% if %}';"
        "comment on column odd.note is 'uses {{ braces }} and {%'"
    )
    run("erp.odd")
    loaded = load_project()
    source = next(each for each in loaded.graph["sources"].values() if each["name"] == "odd")
    assert source["description"] == "Set in {# of old #} and {% if %}. One row per id."
    assert source["columns"]["note"]["description"] == "uses {{ braces }} and {%"


def test_patterns_take_what_is_not_there_yet_and_all_takes_all(database, project):
    database.execute(
        'create schema billing; create table billing.paid (id int); create table billing."Open Items" (id int);'
        "create table billing.parts (id int) partition by range (id);"
        "create table billing.parts_1 partition of billing.parts for values from (0) to (9)"
    )
    assert run("erp.pa*", "--from", "billing").return_value == 0
    files = sorted(path.name for path in (project.root / "models/erp").glob("*.yml"))
    assert files == ["paid.yml", "parts.yml"]
    said = run("erp", "--all", "--from", "billing").output
    assert "erp.paid is an import already" in said
    [other] = [path for path in (project.root / "models/erp").glob("*.yml") if path.name not in files]
    [table] = yaml.safe_load(other.read_text())["sources"][0]["tables"]
    assert table["config"]["meta"] == {"source_schema": "billing", "source_table": "Open Items"}
    assert len(load_project().imports) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["erp.orders", "--from", "biling.orders"], "there is no schema biling either, but billing, public"),
        (["erp.*", "--from", "biling"], "there is no schema biling in the source database, but billing, public"),
        (["erp.paid"], "there is billing.paid"),
        (["erp.x*"], "no table of schema public that can be read fits erp.x*"),
        (["erp.*", "--events-on", "day"], "of one table"),
        (["../../x.y"], "names no import"),
        (["erp./etc/x"], "cannot be part of a path"),
        ([], "say which table"),
    ],
)
def test_a_table_that_is_not_there_says_where_it_may_be(database, project, arguments, said):
    database.execute("create schema billing; create table billing.paid (id int)")
    with pytest.raises(UsageError) as error:
        run(*arguments)
    assert said in str(error.value)
