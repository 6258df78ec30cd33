"""A table that is built alone may take all the memory that a build may take; tables beside each other share it."""

import pytest

MODELS = """
models:
  - name: first
    config: {meta: {slice: events}}
    columns: [{name: memory, data_tests: [not_null]}]
  - {name: second, config: {meta: {slice: events}}}
  - {name: third, config: {meta: {slice: events}}}
"""
SETTING = "select current_setting('memory_limit') as memory"


@pytest.fixture(scope="module")
def project(make_project):
    files = {
        "models/first.sql": SETTING,
        "models/second.sql": SETTING,
        "models/third.sql": f"{SETTING} from {{{{ ref('second') }}}}",
    }
    return make_project({"models/models.yml": MODELS, "seeds/codes.csv": "code\na\n", **files})


def memory_of(project, *tables):
    built = project.build("2013-01-05", *tables)
    assert {each.status for each in built.values()} <= {"success", "pass"}, built
    return [project.query(f"select memory from analytics.{name} where ds = '2013-01-05'")[0][0] for name in tables]


def test_a_table_alone_has_all_and_those_that_can_run_at_once_share(project, monkeypatch):
    monkeypatch.setenv("DAYSLICE_MEMORY", "1200M")
    assert memory_of(project, "first") == ["1.1 GiB"]
    assert project.build(None, "codes")["codes"].status == "success"  # which depends on nothing that is a node
    # Each with its own limit, in whichever order; the second waits for nobody, the third for the second.
    assert memory_of(project, "second", "third") == ["1.1 GiB", "1.1 GiB"]
    # `first`, its audit, and the two others: whoever may run beside it has a share.
    assert memory_of(project, "first", "second", "third") == ["400.0 MiB", "400.0 MiB", "400.0 MiB"]
    assert memory_of(project, "first") == ["1.1 GiB"]
