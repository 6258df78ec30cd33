"""What a pull request runs: the tables that a change makes others, and what it does to those around them."""

import json
import subprocess

import pytest

from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: cumulative}}
    tables:
      - name: orders
      - name: prices
        config: {meta: {retention: 90 days}}
models:
  - {name: flat}
  - {name: week, config: {meta: {slice: events}}}
  - {name: total}
  - {name: same}
"""
FLAT = "select id, amount, city from {{ source('erp', 'orders') }}"
FILES = {
    "models/models.yml": YAML,
    "models/flat.sql": FLAT,
    "models/week.sql": "select count(*) as n,\n  max(amount) as most\nfrom {{ ref('flat') }}",
    "models/total.sql": "select count(*) as n from {{ slice('erp', 'prices', range=7) }}",
    "models/same.sql": "select id from {{ ref('flat') }}",
}


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """A project that is in Git as it is, with a slice of each table."""
    root = tmp_path_factory.mktemp("project")
    made = WarehouseProject(root, FILES)
    (root / ".gitignore").write_text("target/\nwarehouse/\nlogs/\n")
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    for ds in ("2013-01-01", "2013-01-02"):
        made.land("orders", ds, "values (1, 2, 'Ulm')", "id int, amount int, city varchar")
        made.build(ds, "flat", "week", "same")
    return made


@pytest.fixture
def project(committed):
    """As it was committed."""
    committed.write(FILES)
    yield committed
    committed.write(FILES)


@pytest.fixture
def found(run, project):
    def check(changed, *words):
        project.write(changed)
        code, out, err = run("check", "--against", "HEAD", "--json", *words)
        assert out, err
        return code, [(e["level"], e["table"], e["file"], e["line"], e["what"]) for e in json.loads(out)["findings"]]

    return check


def test_a_change_that_changes_no_logic_is_none(found):
    assert found({"models/flat.sql": FLAT + "\n\n"}) == (0, [])
    assert found({"models/models.yml": YAML + "\n# a comment\n"}) == (0, [])


def test_a_column_that_a_reader_loses_is_an_error_with_its_line_and_the_past_is_counted(found):
    code, findings = found({"models/flat.sql": "select id, city from {{ source('erp', 'orders') }}"})
    assert code == 2
    assert findings[:3] == [
        ("note", "flat", "models/flat.sql", 1, "changed: logic"),
        ("warning", "flat", "models/flat.sql", 1, "column amount is gone"),
        ("error", "week", "models/week.sql", 2, "reads column amount, which flat has no more"),
    ]
    assert "2 slices stand on the logic of before (2013-01-01 to 2013-01-02), and 2 tables read it" in findings[3][4]
    assert len(findings) == 4


def test_a_column_that_nobody_reads_may_go(found):
    code, findings = found({"models/flat.sql": "select id, amount from {{ source('erp', 'orders') }}"})
    assert code == 0
    assert ("warning", "flat", "models/flat.sql", 1, "column city is gone") in findings


def test_waits_that_come_and_go(found):
    changed = "select id from {{ slice('flat', -1) }}\nwhere id in (select id from {{ source('erp', 'prices') }})"
    _, findings = found({"models/same.sql": changed})
    told = [(level, line, what) for level, table, _, line, what in findings if table == "same"]
    assert told[1:4] == [
        ("note", 1, "wait added: the slice before of flat"),
        ("note", 2, "wait added: the slice of the same ds of erp.prices"),
        ("note", 1, "wait removed: the slice of the same ds of flat"),
    ]


def test_slices_that_go_before_they_are_read_and_a_table_that_comes_too_rarely(found):
    shorter = YAML.replace("90 days", "3 days").replace(
        "- {name: flat}", "- {name: flat, config: {meta: {schedule: '0 6 * * 1'}}}"
    )
    code, findings = found({"models/models.yml": shorter})
    assert code == 2
    wrong = [(table, file, line, what) for level, table, file, line, what in findings if level == "error"]
    assert wrong[0] == ("erp.prices", "models/models.yml", 8, "is kept for 3 days, and total reads 7 days back")
    rare = "waits for a slice of flat each time, which is made on 0 6 * * 1 only"
    assert sorted(wrong[1:]) == [("same", "models/same.sql", 1, rare), ("week", "models/week.sql", 3, rare)]


def test_a_new_table_and_one_that_is_gone(found, project):
    code, findings = found(
        {"models/more.sql": "select id from {{ ref('flat') }}", "models/models.yml": YAML + "  - {name: more}\n"}
    )
    (project.root / "models/more.sql").unlink()
    assert (code, findings) == (0, [("note", "more", "models/more.sql", 1, "new")])
    (project.root / "models/same.sql").unlink()
    code, findings = found({"models/models.yml": YAML.replace("  - {name: same}\n", "")})
    assert code == 0
    assert [what for *_, what in findings] == ["gone", "no model owns its slices any more"]


def test_it_is_shown_as_markdown_and_a_wrong_revision_is_one_sentence(run, project):
    project.write({"models/flat.sql": "select id, city from {{ source('erp', 'orders') }}"})
    code, out, _ = run("check", "--against", "HEAD", "--markdown")
    assert code == 2
    assert "| error | week | `models/week.sql:2` | reads column amount, which flat has no more |" in out
    code, _, err = run("check", "--against", "nowhere")
    assert code == 2
    assert "--against nowhere: Git has no such revision" in err


def test_some_ds_of_the_changed_tables_are_built_unseen_and_compared(run, project):
    before = {table: project.published(table) for table in ("flat", "week", "same")}
    files = {str(each) for each in project.home.rglob("*.parquet")}
    project.write({"models/flat.sql": FLAT.replace("amount,", "amount * 2 as amount,")})
    words = ["check", "--against", "HEAD", "--select", "flat+", "--build", "2013-01-01", "2013-01-02"]
    code, out, err = run(*words, "--markdown")
    assert code == 0, err
    assert "### flat" in out
    assert "**analytics.flat 2013-01-01 v1 → analytics.flat 2013-01-01 v2**: 1 rows added, 1 removed" in out
    assert "logic changed" in out
    assert "### same" not in out, "only what changed itself"
    code, out, _ = run(*words, "--json")
    assert [one["added"] for one in json.loads(out)["built"]["flat"]["differences"]] == [1, 1]
    code, out, _ = run("check", "--select", "total", "week", "--build", "2013-01-01", "--markdown")
    assert code == 2
    assert "2013-01-01 cannot be built" in out
    assert "**analytics.week 2013-01-01 v1 → analytics.week 2013-01-01 v2**: the same, by their fingerprints" in out
    assert {table: project.published(table) for table in before} == before
    assert {str(each) for each in project.home.rglob("*.parquet")} == files
