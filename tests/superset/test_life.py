"""Up, deploy, export, down: nothing is lost, and every file is accounted for."""

import contextlib
import re
import sqlite3
import stat
import time

import pytest
import yaml

pytestmark = pytest.mark.superset


def test_secrets_are_their_owners_and_the_password_is_shown_once(superset):
    password = re.search(r"password (\S+) \(shown once", superset.said)[1]
    assert password in superset.instance.secrets_file.read_text()
    assert stat.S_IMODE(superset.instance.secrets_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(superset.instance.home.stat().st_mode) == 0o700
    assert "11 datasets, 9 charts, 1 dashboards" in superset.said
    again = superset.run("superset", "up").stdout
    assert "runs already" in again
    assert password not in again
    status = superset.run("superset", "status").stdout
    assert "which answers" in status


def test_two_schemas_may_have_a_table_of_one_name(superset):
    with contextlib.closing(sqlite3.connect(superset.home / "superset" / "superset.db")) as connection:
        [[made]] = connection.execute("select sql from sqlite_master where name = 'tables'").fetchall()
    assert "UNIQUE (table_name)" not in made
    assert "UNIQUE (uuid)" in made


def test_it_listens_on_loopback_only(superset):
    process = superset.instance.service().process()
    listening = {each.laddr.ip for each in process.net_connections() if each.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


def test_what_is_changed_in_the_browser_is_written_back_as_a_small_difference(superset, admin):
    assert superset.run("superset", "export").stdout == "nothing differs from the files\n"
    chart = admin.named("chart", "slice_name")["Cancelled"]["id"]
    assert admin.send("PUT", f"chart/{chart}", {"slice_name": "Not flown"}).ok
    file = superset.root / "dashboards" / "charts" / "cancelled_of_day.yaml"
    before = file.read_text().splitlines()
    assert superset.run("superset", "export").stdout == "wrote dashboards/charts/cancelled_of_day.yaml\n"
    after = file.read_text().splitlines()
    assert [line for line in zip(before, after, strict=True) if line[0] != line[1]] == [
        ("slice_name: Cancelled", "slice_name: Not flown")
    ]
    file.write_text("\n".join(before) + "\n")
    superset.run("superset", "deploy")
    assert "Cancelled" in admin.named("chart", "slice_name")


def test_a_chart_comes_with_its_file_and_goes_with_it(superset, admin):
    charts = superset.root / "dashboards" / "charts"
    new = yaml.safe_load((charts / "cancelled_of_day.yaml").read_text())
    (charts / "another.yaml").write_text(yaml.safe_dump({**new, "slice_name": "Another"}))
    assert "10 charts" in superset.run("superset", "deploy").stdout
    assert "Another" in admin.named("chart", "slice_name")
    (charts / "another.yaml").unlink()
    assert "9 charts, 1 dashboards; 1 taken away" in superset.run("superset", "deploy").stdout
    assert "Another" not in admin.named("chart", "slice_name")


def test_a_chart_of_a_column_that_an_import_lacks_is_named(superset):
    file = superset.root / "dashboards" / "charts" / "wrong.yaml"
    queries = [{"columns": ["nome"], "metrics": [], "filters": []}]
    chart = {"slice_name": "Wrong", "viz_type": "table", "dataset": "erp.airlines_latest"}
    file.write_text(yaml.safe_dump({**chart, "params": {"groupby": ["nome"]}, "query_context": {"queries": queries}}))
    try:
        said = superset.run("superset", "deploy", code=2).stderr
        assert "charts/wrong.yaml: params: groupby: erp.airlines_latest has no column 'nome'" in " ".join(said.split())
    finally:
        file.unlink()
        superset.run("superset", "deploy")


def test_check_refuses_a_chart_that_a_changed_model_breaks(superset):
    file = superset.root / "dashboards" / "charts" / "cancelled_of_day.yaml"
    text = file.read_text()
    file.write_text(text.replace("company_metrics_latest", "company_metrics_newest"))
    try:
        said = superset.run("check", code=2).stderr
        assert "cancelled_of_day.yaml: there is no dataset 'company_metrics_newest'" in " ".join(said.split())
    finally:
        file.write_text(text)


def test_stop_and_start_loses_nothing(superset, admin):
    dataset = admin.named("dataset", "table_name")["flights_flat_latest"]["id"]
    made = {"slice_name": "Made in the browser", "viz_type": "table", "datasource_id": dataset}
    assert admin.send("POST", "chart/", {**made, "datasource_type": "table", "params": "{}"}).ok
    superset.run("superset", "down")
    assert superset.run("superset", "status", code=1)
    assert "start it with dayslice superset up" in superset.run("superset", "deploy", code=1).stderr
    began = time.monotonic()
    said = superset.run("superset", "up").stdout
    print(f"up again in {time.monotonic() - began:.0f} s")
    assert "nothing changed" in said
    again = superset.login()
    assert {"Made in the browser", "Cancelled"} <= again.named("chart", "slice_name").keys()
    assert again.chart("The day")[0]["data"][0]["day"].startswith("2013-01-0")
    number = again.named("chart", "slice_name")["Made in the browser"]["id"]
    assert again.send("DELETE", f"chart/{number}", None).ok
