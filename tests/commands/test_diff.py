"""What changed between two slices, two versions of one, or two targets; and why, by the receipts."""

import json

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: cumulative}}
    tables: [{name: orders}]
models:
  - name: prices
    columns:
      - {name: id, data_tests: [unique]}
  - {name: keyless}
"""
PRICES = "select id, price, name{more} from {{{{ source('erp', 'orders') }}}}"
COLUMNS = "id int, price double, name varchar"
FIRST = "values (1, 1.0, 'a'), (2, 2.0, 'b'), (3, 3.0, 'c'), (4, null, 'd')"
SECOND = "values (1, 1.0, 'a'), (2, 2.5, 'b'), (3, 3.0, null), (5, 5.0, 'e')"


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    files = {
        "models/models.yml": YAML,
        "models/prices.sql": PRICES.format(more=""),
        "models/keyless.sql": "select price, name from {{ source('erp', 'orders') }}",
    }
    return make_project(files)


@pytest.fixture(scope="module")
def project(parsed, emptied):
    """Two versions of 2013-01-01, of two versions of orders; and 2013-01-02, which is as the second."""
    emptied(parsed)
    for ds, rows in (("2013-01-01", FIRST), ("2013-01-01", SECOND), ("2013-01-02", SECOND)):
        parsed.land("orders", ds, rows, COLUMNS)
        assert parsed.build(ds, "prices", "keyless")["prices"].status == "success"
    return parsed


@pytest.fixture
def dayslice(run, project):
    """A command for the project's target."""
    target = ["--target", project.target] if project.target else []
    return lambda *words: run(*words, *target)


@pytest.fixture
def diff(dayslice):
    def ask(*words):
        code, out, err = dayslice("diff", *words, "--json")
        return code, json.loads(out) if out else None, err

    return ask


def test_rows_and_columns_that_changed_are_counted_by_the_key_of_the_unique_test(diff):
    code, found, _ = diff("prices", "2013-01-01@v1", "2013-01-01@v2")
    one = found["differences"][0]
    assert (code, one["key"], one["added"], one["removed"], one["changed"]) == (0, ["id"], 1, 1, 2)
    columns = {each["column"]: each for each in one["columns"]}
    assert {name: each["rows"] for name, each in columns.items()} == {"price": 1, "name": 1}
    assert (columns["price"]["before"]["mean"], columns["price"]["after"]["mean"]) == (2.0, 2.875)
    assert (columns["price"]["before"]["nulls"], columns["price"]["after"]["nulls"]) == (1, 0)
    assert columns["name"]["before"]["least"] is None, "a text may be somebody's name"
    assert one["samples"] == []


def test_it_says_why_by_the_inputs(dayslice):
    code, out, _ = dayslice("diff", "prices", "2013-01-01")
    assert code == 0
    assert "50.0 % of rows changed, 1 added, 1 removed; logic the same; erp.orders 2013-01-01 v1 -> v2" in out


def test_of_two_ds_each_has_its_own_inputs(dayslice):
    code, out, _ = dayslice("diff", "prices", "2013-01-01@v1", "2013-01-02")
    assert code == 0
    assert "1 added, 1 removed; logic the same; each has the inputs of its ds\n" in out


def test_equal_fingerprints_end_it_at_once(diff):
    _, found, _ = diff("prices", "2013-01-01", "2013-01-02")
    assert found["differences"][0]["is_known_equal"]
    _, found, _ = diff("prices", "2013-01-01", "2013-01-02", "--read")
    assert (found["differences"][0]["is_known_equal"], found["differences"][0]["equal"]) == (False, True)


def test_a_tolerance_and_columns_that_are_left_out(diff):
    _, found, _ = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--tolerance", "0.5", "--exclude", "name")
    assert found["changed"] == 0
    _, found, _ = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--tolerance", "19%", "--exclude", "name")
    assert found["changed"] == 1
    _, found, _ = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--tolerance", "21%", "--exclude", "name")
    assert found["changed"] == 0


def test_without_a_key_rows_are_counted_as_they_are(diff):
    _, found, _ = diff("keyless", "2013-01-01@v1", "2013-01-01@v2")
    one = found["differences"][0]
    assert (one["key"], one["added"], one["removed"], one["changed"]) == ([], 3, 3, 0)
    _, found, _ = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--key", "")
    assert (found["added"], found["removed"]) == (3, 3)


def test_a_key_is_checked_first(diff):
    code, _, err = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--key", "name")
    assert code == 2
    assert "1 values of name are null or in several rows" in err
    code, _, err = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--key", "nam")
    assert code == 2
    assert "has no column 'nam'; it has id, price, name" in err


@pytest.mark.parametrize("last", ["(5, 5.0, 'a')", "(6, 6.0, 'f'), (7, 7.0, 'f')", "(6, 6.0, null)", "(1, 1.0, 'e')"])
def test_a_key_that_is_one_on_the_left_only_is_refused(diff, project, last):
    for more in ("", f", {last}"):
        project.land("orders", "2013-01-03", f"values (1, 1.0, 'a'), (5, 5.0, 'e'){more}", COLUMNS)
        assert project.build("2013-01-03", "keyless")["keyless"].status == "success"
    code, _, err = diff("keyless", "2013-01-03", "--key", "name")
    assert code == 2
    assert "1 values of name are null or in several rows" in err


def test_it_fails_where_it_is_told_to(diff):
    words = ("prices", "2013-01-01@v1", "2013-01-01@v2")
    assert diff(*words, "--fail-if", "changed > 50%")[0] == 0
    code, found, err = diff(*words, "--fail-if", "changed > 49%", "--fail-if", "removed > 5")
    assert (code, found["failed"]) == (1, ["changed > 49%"])
    code, _, err = diff(*words, "--fail-if", "changed>lots")
    assert code == 2
    assert "'changed > 1%'" in err


def test_samples_are_shown_only_when_asked(diff, dayslice):
    _, found, _ = diff("prices", "2013-01-01@v1", "2013-01-01@v2", "--samples", "9")
    assert sorted(row[:2] for row in found["differences"][0]["samples"]) == [
        ["added", "5"],
        ["changed", "2"],
        ["changed", "3"],
        ["removed", "4"],
    ]
    assert "'" not in dayslice("diff", "prices", "2013-01-01", "--markdown")[1]


def test_a_range_is_summed_up(dayslice, diff):
    _, found, _ = diff("prices", "2013-01-01..2013-01-02", "2013-01-01..2013-01-02")
    assert (len(found["differences"]), found["changed"], found["left"]) == (2, 0, 8)
    _, out, _ = dayslice("diff", "prices", "2013-01-01..2013-01-02", "2013-01-01..2013-01-02", "--markdown")
    assert "**2 ds**: 0 of 8 rows changed" in out


def test_what_is_not_there_is_said_with_what_is_kept(diff):
    assert "prices 2013-01-09 is not published" in diff("prices", "2013-01-09", "2013-01-01")[2]
    assert "has no version v7; kept are: v2 (v" in diff("prices", "2013-01-01", "2013-01-01@v7")[2]
    assert "has one version only" in diff("prices", "2013-01-02")[2]


def test_a_schema_that_changed_is_told_apart(diff, project):
    project.write({"models/prices.sql": PRICES.format(more=", 7 as extra")})
    try:
        project.build("2013-01-02", "prices")
        _, found, _ = diff("prices", "2013-01-02")
    finally:
        project.write({"models/prices.sql": PRICES.format(more="")})
    one = found["differences"][0]
    assert [(each["column"], each["what"]) for each in one["schema"]] == [("extra", "added")]
    assert (one["changed"], one["reasons"][0], one["equal"]) == (0, "logic changed", False)


def test_a_history_says_when_why_and_what_changed(dayslice):
    _, out, _ = dayslice("history", "prices", "2013-01-01", "--json")
    first, second = json.loads(out)[:2]
    assert (first["name"], first["why"], first["what"]) == ("v1", ["the first"], [])
    assert second["why"] == ["logic the same", "erp.orders 2013-01-01 v1 -> v2"]
    assert second["what"] == ["columns id, price, name"]
    assert second["published"]
    assert "columns id, price, name" in dayslice("history", "prices", "2013-01-01")[1]
