"""Which ds each dataset shows, and whether it is late: in the dataset's own certification and warning.

Putting a dataset's `extra` anew also makes new what is cached of its charts.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from superset.connectors.sqla.models import SqlaTable
from superset.extensions import db

from dayslice_superset.assets import take_types

FILE = "slices.db"
# Of each table, the newest. More belongs in the metastore.
KEPT_SLICES = 400
PERIODS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "15min": timedelta(minutes=15)}
FORMATS = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H", "15min": "%Y-%m-%dT%H%M"}
DDL = """
create table if not exists slices (
    schema_name text, table_name text, ds text, published text, rows integer, late_at text,
    primary key (schema_name, table_name, ds)
);
create table if not exists tables (schema_name text, table_name text, told text, primary key (schema_name, table_name));
"""


@contextmanager
def open_known(home: Path) -> Iterator[sqlite3.Connection]:
    """What this home knows of slices, in one transaction."""
    connection = sqlite3.connect(home / FILE, timeout=30)
    try:
        connection.executescript(DDL)
        with connection:
            yield connection
    finally:
        connection.close()


def know(home: Path, slices: Iterable[Mapping[str, Any]], tables: Iterable[Mapping[str, Any]]) -> None:
    """Take a whole picture: every table, and its newest slices."""
    with open_known(home) as known:
        known.execute("delete from slices")
        known.execute("delete from tables")
        for table in tables:
            known.execute(
                "insert into tables values (?, ?, ?)", (table["schema"], table["table"], json.dumps(dict(table)))
            )
        for each in slices:
            _keep(known, each)
    heard(home, [], every=True)


def heard(
    home: Path, published: Iterable[Mapping[str, Any]], shown: Iterable[tuple[str, str]] = (), every: bool = False
) -> None:
    """Slices were published, or taken away; or are shown now; or time went by. Put anew what is told of each dataset
    that this changes.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    changed = set(shown)
    with open_known(home) as known:
        for each in published:
            changed.add((each["schema"], each["table"]))
            _keep(known, each)
        tables = [json.loads(told) for (told,) in known.execute("select told from tables")]
        for table in tables:
            _expect(known, table)
        told = {table["uuid"]: extra_of(known, table, now) for table in tables}
    marked = {table["uuid"] for table in tables if every or (table["schema"], table["table"]) in changed}
    marked |= {table["uuid"] for table in tables if table["table"] == "slices"} if changed or every else set()
    _put(told, marked)


def extra_of(known: sqlite3.Connection, table: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A dataset's `extra`: who owns it, which ds it shows, and a warning if a newer one should be there."""
    where = (table["schema"], table["table"])
    newest = known.execute(
        "select ds, published, rows from slices where schema_name = ? and table_name = ? and published is not null "
        "order by ds desc limit 1",
        where,
    ).fetchone()
    due = known.execute(
        "select ds, late_at from slices where schema_name = ? and table_name = ? and published is null and late_at < ? "
        "order by ds limit 1",
        (*where, _sql_time(now)),
    ).fetchone()
    extra: dict[str, Any] = {}
    if newest:
        ds, published, rows = newest
        extra["certification"] = {
            "certified_by": table["owner"] or "Dayslice",
            "details": f"ds {ds}: {rows:,} rows, published {published[:16]} UTC",
        }
    elif table["owner"]:
        extra["certification"] = {"certified_by": table["owner"], "details": "no slice is published yet"}
    if due:
        shown = f"the newest is {newest[0]}" if newest else "there is none yet"
        extra["warning_markdown"] = f"**Late**: {due[0]} was due by {due[1][:16]} UTC; {shown}."
    return extra


def _put(told: Mapping[str, Mapping[str, Any]], marked: set[str]) -> None:
    for dataset in db.session.query(SqlaTable).filter(SqlaTable.uuid.in_([UUID(each) for each in told])):
        extra = json.dumps(told[str(dataset.uuid)], ensure_ascii=False)
        if extra != dataset.extra or str(dataset.uuid) in marked:
            if str(dataset.uuid) in marked and any(not column.type for column in dataset.columns):
                take_types(dataset)  # its first slice: the table was not there when the dataset was made
            dataset.extra = extra
            # What the cache's keys are made of.
            dataset.changed_on = datetime.now()
    db.session.commit()


def _keep(known: sqlite3.Connection, each: Mapping[str, Any]) -> None:
    """One slice: published, or (no time of publication) gone."""
    where = (each["schema"], each["table"], each["ds"])
    if each["published"] is None:
        known.execute("delete from slices where schema_name = ? and table_name = ? and ds = ?", where)
        return
    known.execute(
        "insert into slices values (?, ?, ?, ?, ?, null) on conflict do update set "
        "published = excluded.published, rows = excluded.rows",
        (*where, each["published"], each["rows"]),
    )


def _expect(known: sqlite3.Connection, table: Mapping[str, Any]) -> None:
    """When each slice of a table is late, and a row for the one that comes next."""
    where = (table["schema"], table["table"])
    stand = [
        ds
        for (ds,) in known.execute(
            "select ds from slices where schema_name = ? and table_name = ? and published is not null order by ds",
            where,
        )
    ]
    known.execute("delete from slices where schema_name = ? and table_name = ? and published is null", where)
    for ds in stand[:-KEPT_SLICES]:
        known.execute("delete from slices where schema_name = ? and table_name = ? and ds = ?", (*where, ds))
    if table["late_after_seconds"] is None or not stand:
        return
    following = shift(stand[-1], table["grain"])
    known.execute("insert into slices values (?, ?, ?, null, null, null)", (*where, following))
    for (ds,) in known.execute(
        "select ds from slices where schema_name = ? and table_name = ? and late_at is null", where
    ).fetchall():
        late_at = late_time(ds, table)
        known.execute(
            "update slices set late_at = ? where schema_name = ? and table_name = ? and ds = ?",
            (_sql_time(late_at), *where, ds),
        )


def shift(ds: str, grain: str) -> str:
    """The ds of the next period."""
    return (datetime.strptime(ds, FORMATS[grain]) + PERIODS[grain]).strftime(FORMATS[grain])


def late_time(ds: str, table: Mapping[str, Any]) -> datetime:
    """When a slice is late, in UTC: `late_after` from its period's end in the project's time zone."""
    grain = table["grain"]
    end = datetime.strptime(shift(ds, grain), FORMATS[grain]).replace(tzinfo=ZoneInfo(table["time_zone"]))
    return (end.astimezone(UTC) + timedelta(seconds=table["late_after_seconds"])).replace(tzinfo=None)


def _sql_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
