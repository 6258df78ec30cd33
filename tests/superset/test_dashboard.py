"""What people see, in a real browser."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.superset.running_superset import until

pytestmark = pytest.mark.superset

CHARTS = {
    "The day",
    "Flights",
    "Late arrivals",
    "Cancelled",
    "The company, day by day",
    "Departures late, by airport and hour",
    "Delay by carrier",
    "Delay by route, seven days",
    "Freshness",
}


def open_dashboard(page, superset):
    page.goto(f"{superset.url}/superset/dashboard/departures/")
    page.wait_for_selector(".chart-container canvas")
    # Not by a function: one that waits is compiled in the page, which Superset's content policy forbids.
    expect(page.locator(".chart-container .loading")).to_have_count(0, timeout=60_000)
    expect(page.locator(".chart-container")).to_have_count(len(CHARTS), timeout=60_000)


def test_an_analyst_sees_each_chart_drawn_and_the_ds_that_it_shows(page, superset):
    answered = []
    page.on("response", lambda response: answered.append(response.url))
    open_dashboard(page, superset)
    titles = {each.strip() for each in page.locator("[data-test=slice-header] .header-title").all_inner_texts()}
    assert titles == CHARTS
    assert page.locator(".chart-container canvas").count() == 4
    assert page.locator(".chart-container [role=alert], .chart-container .ant-alert-error").count() == 0
    expect(page.get_by_text("2013-01-02").first).to_be_visible()
    page.get_by_text("company_metrics").first.wait_for()
    # Superset's page asks its maker's server for a picture; our policy does not let that leave the browser.
    assert answered
    assert [each for each in answered if not each.startswith((superset.url, "data:", "blob:"))] == [], "nobody is told"


def test_a_table_that_is_late_says_so(page, superset, analyst):
    (freshness,) = analyst.chart("Freshness")
    states = {row["table_name"]: row["State"] for row in freshness["data"]}
    assert states.pop("company_metrics") == "late"
    assert set(states.values()) == {"in time"}
    open_dashboard(page, superset)
    page.get_by_text("late", exact=True).first.wait_for()
    extra = analyst.named("dataset", "table_name")["company_metrics_latest"]["extra"]
    assert "**Late**: 2013-01-03 was due by 2013-01-04 06:00 UTC; the newest is 2013-01-02." in extra
    page.goto(f"{superset.url}/tablemodelview/list/")
    row = page.locator("tr", has_text="company_metrics_latest")
    row.locator("[aria-label=warning]").first.wait_for()
    assert page.locator("tr", has_text="airport_daily_latest").locator("[aria-label=warning]").count() == 0


def test_a_limit_of_three_gives_three_rows_in_sql_lab(page, superset, analyst):
    number = analyst.named("database", "database_name")["Dayslice"]["id"]
    sql = "select carrier, ds from analytics.flights_flat_latest limit 3"
    page.goto(f"{superset.url}/sqllab/?dbid={number}&schema=analytics&name=three&sql={sql}")
    began = time.monotonic()
    # By its text: to those who do not see it, its icon is part of the name.
    page.locator("button", has_text=re.compile(r"^\s*Run\s*$")).first.click()
    page.get_by_text(re.compile("3 rows")).first.wait_for()
    print(f"SQL Lab: {time.monotonic() - began:.1f} s")
    expect(page.get_by_text("2013-01-02").first).to_be_visible(timeout=60_000)


def test_a_published_ds_is_shown_without_a_reload_of_superset(page, superset, analyst):
    """And a build succeeds while a query runs, as one does not wait for the other."""
    open_dashboard(page, superset)
    assert analyst.chart("The day")[0]["data"] == [{"day": "2013-01-02"}]
    before = superset.instance.service().process()
    superset.run("demo", "--days", "3")
    seconds = until(lambda: analyst.chart("The day")[0]["data"] == [{"day": "2013-01-03"}])
    print(f"shown {seconds:.1f} s after the build")
    assert superset.instance.service().process() == before
    datasets = analyst.named("dataset", "table_name")
    assert "ds 2013-01-03: 914 rows" in datasets["flights_flat_latest"]["extra"]
    assert "ds 2013-01-03" in datasets["flights_latest"]["extra"], "of an import too"
    page.reload()
    page.get_by_text("2013-01-03").first.wait_for()
