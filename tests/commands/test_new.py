"""`dayslice new TABLE`: its files, which build once what only a person knows is written; nothing is overwritten."""

import pytest

from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables:
      - name: orders
        columns:
          - {name: id, description: "Number: of the order.", data_tests: [unique]}
          - {name: product}
      - name: products
        columns:
          - {name: product, description: Its code.}
          - {name: price, description: What a piece costs.}
"""
WRITTEN = ["models/sales/daily.sql", "models/sales/daily.yml", "models/sales/daily_latest.sql"]


@pytest.fixture
def project(tmp_path):
    return WarehouseProject(tmp_path, {"models/erp/erp.yml": YAML})


def test_a_new_table_builds_once_its_placeholders_are_written(run, project):
    code, out, _ = run("new", "daily", "--from", "erp.orders", "--folder", "sales", "--owner", "sales-team")
    assert (code, out.split()) == (0, WRITTEN)
    code, _, err = run("check")
    assert code == 2
    assert "models/sales/daily.yml:3: 'TODO: one row per …' is left" in err
    file = project.root / "models/sales/daily.yml"
    text = file.read_text()
    assert "data_tests: [unique, not_null]" in text
    assert "description: 'Number: of the order.'" in text
    file.write_text(text.replace("TODO: one row per …", "One row per order.").replace("TODO: what it is.", "Its code."))
    assert run("check")[0] == 0
    project.land("orders", "2013-01-01", "values (1, 'tea')", "id int, product varchar")
    assert run("build", "--ds", "2013-01-01", "--select", "daily+")[0] == 0
    assert project.query("select id, product from analytics.daily_latest") == [(1, "tea")]


def test_two_tables_are_joined_where_a_person_says_how(run, project):
    assert run("new", "lines", "--from", "erp.orders", "--from", "erp.products", "--folder", "sales")[0] == 0
    text = (project.root / "models/sales/lines.sql").read_text()
    assert "join {{ source('erp', 'products') }} as p on true -- TODO" in text
    assert "    o.product,\n    p.price\n" in text
    code, _, err = run("check")
    assert code == 2
    assert "models/sales/lines.sql:6" in err


def test_nothing_is_overwritten_and_a_wrong_name_is_refused(run, project):
    (project.root / "models/sales").mkdir()
    (project.root / "models/sales/daily.yml").write_text("models: []\n")
    code, _, err = run("new", "daily", "--from", "erp.orders", "--folder", "sales")
    assert code == 2
    assert "models/sales/daily.yml is there already; nothing was written" in err
    assert not (project.root / "models/sales/daily.sql").exists()
    assert "is no name for a table" in run("new", "Daily", "--from", "erp.orders")[2]
    assert "there is no table 'erp.nothing'" in run("new", "daily", "--from", "erp.nothing")[2]
    assert "--folder sales" in run("new", "daily")[2]
