"""The condition by which Trino finds rows of erased persons: what is in its statement, and what is not."""

import pytest

from dayslice.engines.suppression_on_trino import OF_STATEMENTS, names_one, with_key
from dayslice.engines.target import Target
from dayslice.errors import UsageError
from dayslice.metastore.suppressed import hashes_of
from dayslice.rules.keyed_hashes import keyed_hash, statement_key

SECRET = "a secret of some length"
WHO = "o'brien@example.org"


@pytest.fixture
def hashes(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYSLICE_HASH_KEY", SECRET)
    target = Target("trino", "trino", "hive", "analytics", tmp_path, "s3://warehouse", None, None)
    return hashes_of(target, WHO)


def test_neither_the_secret_nor_the_person_is_in_it_and_the_key_only_as_it_is_run(hashes):
    sql = names_one({'ma"il': hashes}, {'ma"il': "varchar(20)"})
    key = statement_key(SECRET.encode())
    assert key.hex() not in sql
    assert not {SECRET, WHO} & {part for part in sql.split("'") if part}
    run = with_key(sql)
    assert f"from_hex('{key.hex()}')" in run
    assert 'cast("ma""il" as varchar)' in run
    hashed, own = keyed_hash(WHO.encode(), key), keyed_hash(WHO.encode(), SECRET.encode())
    assert f"from_hex('{key.hex()}')))) in ('{hashed}')" in run
    assert f"as varchar) in ('{own}')" in run, "a column that lands hashed has the hash itself"
    assert sorted(hashes) == sorted([own, OF_STATEMENTS + hashed])


def test_the_padding_of_a_char_is_no_part_of_a_name(hashes):
    assert 'rtrim(cast("code" as varchar))' in names_one({"code": hashes}, {"code": "char(8)"})
    assert "rtrim" not in names_one({"code": hashes}, {"code": "bigint"})


@pytest.mark.parametrize("type", ["varbinary", "array(varchar)", "row(a varchar)", "map(varchar, bigint)", "double"])
def test_a_column_by_which_nobody_could_be_found_is_refused(hashes, type):
    with pytest.raises(UsageError, match=r"column mail is .*: one that names a person must be a text"):
        names_one({"mail": hashes}, {"mail": type})


def test_a_statement_without_it_needs_no_secret(monkeypatch):
    monkeypatch.delenv("DAYSLICE_HASH_KEY", raising=False)
    assert with_key("select 1") == "select 1"
