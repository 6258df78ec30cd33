"""The staging target: a model is built aside while it reads production's slices of what is not selected."""

import pytest

from dayslice.runner.dbt_runs import Dbt

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: upstream, config: {meta: {slice: events}}}
  - {name: changed, config: {meta: {slice: events}}}
"""


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(
        {
            "models/m.yml": YAML,
            "models/upstream.sql": "select id from {{ slice('erp', 'orders') }}",
            "models/changed.sql": "select count(*) as n from {{ slice('upstream') }}",
            "models/changed_latest.sql": "{{ latest('changed') }}",
        }
    )
    project.empty()
    project.land("orders", "2013-01-05", "values 1, 2, 3", "id int")
    assert project.build("2013-01-05")["changed"].status == "success"
    project.dbt.run(["compile", "--target-path", str(project.root / "production")], "2013-01-05")
    return project


def stage(project, ds, *select):
    defer = ["--defer", "--favor-state", "--state", str(project.root / "production")]
    results = Dbt(project.root, "staging").run(["build", "--select", *select, *defer], ds)
    return {each.unique_id.split(".")[2]: each for each in results if each.unique_id.startswith("model.")}


def test_a_model_is_tried_on_production_s_slices_without_touching_them(project):
    before = project.published("changed")
    built = stage(project, "2013-01-05", "changed", "changed_latest")
    assert {result.status for result in built.values()} == {"success"}, built
    assert project.query("select n, ds from staging.changed_latest") == [(3, "2013-01-05")]
    assert list(project.published("changed", "staging")) == ["2013-01-05"]
    assert project.published("upstream", "staging") == {}, "it was read where production has it"
    assert project.published("changed") == before


def test_a_missing_slice_of_production_is_waited_for_in_staging(project):
    refused = stage(project, "2013-01-06", "changed")["changed"]
    assert refused.status == "error"
    assert "analytics.upstream 2013-01-06" in refused.message
