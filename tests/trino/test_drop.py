"""What is dropped on Trino leaves no files by which Trino refuses to make it anew."""

import os
import subprocess

from dayslice.rules.slices import Table
from dayslice.store.choice import open_store
from tests.warm.programs import program

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: daily, config: {meta: {slice: events}}}
"""
DAILY = "select id from {{ source('erp', 'orders') }}"
PLAIN = "{{ config(materialized='table') }} select count(*) as n from {{ all_slices('daily') }}"


def test_a_plain_table_that_was_dropped_is_made_anew(make_project):
    project = make_project({"models/m.yml": YAML, "models/daily.sql": DAILY, "models/plain.sql": PLAIN})
    project.empty()
    project.land("orders", "2013-01-05", "values 1", "id int")
    assert {each.status for each in project.build("2013-01-05").values()} == {"success"}
    with project.metastore() as metastore:
        place = metastore.location(Table("analytics", "plain")).replace("s3a://", "s3://")
    assert open_store(place).sizes("")
    (project.root / "models/plain.sql").unlink()
    command = [program("dayslice"), "drop", "analytics.plain", "--yes", "--target", "trino"]
    done = subprocess.run(command, cwd=project.root, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not open_store(place).sizes("")
    project.write({"models/plain.sql": PLAIN})
    assert project.build("2013-01-05", "plain")["plain"].status == "success"
    assert project.query("select n from analytics.plain") == [(1,)]
