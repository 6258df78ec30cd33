"""Snapshots on Trino, where the whole is written anew: what cannot follow is refused, and nothing is left over."""

DS = "2013-01-01"
FILES = {
    "models/models.yml": "models: [{name: daily, config: {meta: {owner: a}}}]",
    "models/daily.sql": "select 1 as id, 'a' as name union all select 1, 'b'",
    "snapshots/doubled.yml": """
snapshots:
  - name: doubled
    relation: ref('daily')
    config: {unique_key: id, strategy: check, check_cols: [name]}
""",
}


def test_a_key_that_is_none_is_refused_and_nothing_is_left_over(make_project):
    project = make_project(FILES)
    project.empty()
    doubled = project.build(DS)["doubled"]
    assert doubled.status == "error"
    assert "1 values of its unique_key (id) stand in more than one row" in doubled.message
    project.write({"models/daily.sql": "select 1 as id, 'a' as name"})
    assert project.build(DS)["doubled"].status == "success"
    project.write({"models/daily.sql": "select 1 as id, 'b' as name union all select 1, 'c'"})
    assert project.build(DS)["doubled"].status == "error"
    assert project.query("select id, name, dbt_valid_to from analytics.doubled") == [(1, "a", None)]
    assert project.staged() == []
