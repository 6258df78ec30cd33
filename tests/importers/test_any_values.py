"""Random rows of random values: what went into PostgreSQL comes out of the typed view."""

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import execute_values

from tests.importers.warehouse import Warehouse

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text("\\\n\r\t\bNtnrx'\",;.")
ROWS = st.lists(
    st.tuples(
        st.none() | TEXT,
        st.none() | st.binary(max_size=50),
        st.none() | st.decimals(min_value=-(10**8), max_value=10**8, places=4, allow_nan=False),
        st.none() | st.floats(),
        st.none() | st.datetimes(),
        st.none() | st.datetimes(timezones=st.timezones()).filter(lambda at: 2 < at.year < 9998),
        st.none() | st.dates(),
        st.none() | st.lists(st.none() | TEXT, max_size=4),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def place(make_database, tmp_path_factory):
    database = make_database()
    database.execute(
        "create table t (id int, t text, b bytea, n numeric(14,4), f float8, s timestamp, z timestamptz, d date, "
        "a text[], i bigint)"
    )
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
        yield database, warehouse


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_what_went_in_comes_out(place, rows):
    database, warehouse = place
    database.execute("truncate t")
    with database.connection.cursor() as cursor:
        execute_values(cursor, "insert into t values %s", [(number, *row) for number, row in enumerate(rows)])
    warehouse.land("t")
    arrays = dict(database.execute("select id, a::text from t"))
    found = warehouse.query("select id, t, b, n, f, s, epoch_us(z), d, a, i from erp.t order by id")
    assert len(found) == len(rows)
    for (number, *values), row in zip(found, rows, strict=True):
        expected = [*row[:7], arrays[number], row[8]]
        expected[5] = instant(row[5])
        expected[2] = None if row[2] is None else Decimal(row[2])
        if isinstance(row[3], float) and math.isnan(row[3]):
            assert math.isnan(values[3])
            values[3] = expected[3] = None
        assert values == expected


def instant(at: dt.datetime | None) -> int | None:
    """Microseconds since 1970, exactly."""
    if at is None:
        return None
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
