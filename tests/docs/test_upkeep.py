"""The upkeep of a warehouse, as its page tells it."""

import subprocess
from pathlib import Path

from tests.docs.page import blocks_of, not_shown, run_page
from tests.local_files import readers
from tests.sql.warehouse_project import WarehouseProject

PAGE = Path(__file__).parents[2] / "docs" / "upkeep.md"
DAYS = ["2024-01-01", "2024-01-02"]
FILES = {
    "models/shop/orders.yml": """
sources:
  - name: shop
    schema: erp
    config: {meta: {connection: shop, slice: events}}
    tables: [{name: orders}]
""",
    "models/sales/daily_sales.sql": "select country, sum(price) as revenue "
    "from {{ source('shop', 'orders') }} group by country",
    "models/sales/daily_sales.yml": "models: [{name: daily_sales, config: {meta: {slice: events}}}]",
    "models/sales/daily_sales_latest.sql": "{{ latest('daily_sales') }}",
    "models/sales/regions.sql": "select count(*) as countries from {{ ref('daily_sales') }}",
    "models/sales/regions.yml": "models: [{name: regions, config: {meta: {slice: events}}}]",
    "models/sales/regions_latest.sql": "{{ latest('regions') }}",
}


def test_every_command_of_the_page_works_and_shows_what_it_says(tmp_path):
    project = WarehouseProject(tmp_path, FILES)
    for ds in DAYS:
        project.land("orders", ds, "select 'DE', 3 union all select 'FR', 4", "country varchar, price int")
        project.build(ds)
    before = project.query("select country, revenue, ds from analytics.daily_sales order by ds, country")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init"], ["add", "models"], [*who, "commit", "-m", "A warehouse"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    ran = run_page(PAGE, tmp_path)
    assert len(ran) == len(blocks_of(PAGE)) == 5
    assert [line for block, output in ran for line in not_shown(block, output)] == []
    with readers(project.home) as connection:  # restored from the backup
        assert connection.execute("select * from analytics.sales_by_day order by ds, country").fetchall() == before
        assert connection.execute("select count(*) from analytics.daily_sales").fetchall() == [(2,)]
        assert connection.execute("select count(*) from erp.orders").fetchall() == [(4,)]
