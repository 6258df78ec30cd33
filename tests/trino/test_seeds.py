"""Seeds on Trino: written in pieces, counted, shown by one call."""

ROWS = 1200


def test_a_seed_of_many_pieces_has_each_row_once(make_project):
    lines = "\n".join(f"{number},it's {number}" for number in range(ROWS))
    project = make_project({"seeds/kinds.csv": "id,name\n" + lines + "\n"})
    project.empty()
    for _ in range(2):
        built = project.build(None, "kinds")
        assert built["kinds"].status == "success", built["kinds"].message
        found = project.query("select count(*), count(distinct id), max(name) from analytics.kinds")
        assert found == [(ROWS, ROWS, "it's 999")]
    assert project.staged() == []


def test_rows_that_were_inserted_twice_are_not_shown(make_project, monkeypatch):
    """As by a request that was repeated after a 503."""
    from dbt.adapters.dayslice_trino.impl import SliceTrinoConnectionManager as Manager  # noqa: PLC0415

    project = make_project({"seeds/twice.csv": "id\n1\n2\n"})
    project.empty()
    real = Manager.execute

    def execute(self, sql, *args, **kwargs):
        if "insert into" in sql:
            real(self, sql, *args, **kwargs)
        return real(self, sql, *args, **kwargs)

    monkeypatch.setattr(Manager, "execute", execute)
    built = project.build(None, "twice")["twice"]
    assert built.status == "error"
    assert "2 rows were to be written and 4 were" in built.message
