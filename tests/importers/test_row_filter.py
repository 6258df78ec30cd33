"""A row_filter is a condition: it cannot end the query around it, and what is a condition of PostgreSQL's passes."""

import pytest
from dayslice_importers.row_filter import row_filter_of

from dayslice.errors import DaysliceError, UsageError
from tests.importers.warehouse import Warehouse

CONDITIONS = [
    "id > 1 and v <> '--'",
    "v ~* '^[a-z)]+$' or v similar to '%(x|y)%'",
    "v in (select v from t where id < 9)",
    "tags @> array['a'] and tags && '{a,b}'::text[]",
    "E'it\\'s' <> v and $$a)--$$ <> v",
    "made at time zone 'UTC' >= now() - interval '900 years'",
    "json ->> 'a' is null or json @? '$.a' or json ? 'b'",
    "case when id > 1 then true else v is distinct from 'x' end",
    "exists (select 1) and id between symmetric 9 and 0",
    "id OPERATOR(pg_catalog.>) 0",
]
OTHERS = [
    ("true) or (true", "ends the query"),
    ("true); drop table t; --", "comment"),
    ("true; select 1", "ends the query"),
    ("true -- and so on", "comment"),
    ("true /* and so on */", "comment"),
    ("true --", "comment"),
    ("-- nothing", "comment"),
    ("(true", "ends the query"),
    ("true]", "ends the query"),
    ("v = 'open", "does not end"),
    ("/* open", "does not end"),
    ("select true", "no condition"),
    ("", "no condition"),
    (True, "no condition"),
    (["a = 1"], "no condition"),
]


@pytest.mark.parametrize(("text", "said"), OTHERS)
def test_what_is_no_condition_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(UsageError, match=said) as error:
        row_filter_of(Warehouse(tmp_path).node("t", row_filter=text))
    assert str(error.value).startswith("models/erp.yml: erp.t: row_filter: ")
    assert "\n" not in str(error.value)


def test_every_condition_passes_and_others_are_refused_before_anything_is_written(database, warehouse):
    database.execute(
        "create table t as select n as id, 'x'::text as v, array['a'] as tags, now() as made, '{}'::jsonb as json "
        "from generate_series(1, 5) as n"
    )
    for condition in CONDITIONS:
        assert warehouse.run(warehouse.node("t", row_filter=condition))["t"].error is None, condition
    before = warehouse.landed()
    for wrong in ("true order by id", "true union select 1", "true group by id", "nothing = 1", "id"):
        error = warehouse.run(warehouse.node("t", row_filter=wrong))["t"].error
        assert isinstance(error, DaysliceError), wrong
        assert "\n" not in str(error)
    assert warehouse.landed() == before
