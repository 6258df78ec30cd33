"""A home's files as tests lay and read them: slices as an importer would land them, and the readers' file."""

import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dayslice.engines.embedded import copy_to_parquet
from dayslice.metastore import readers_file
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.stages import version_location
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id


def metastore_of(home: Path) -> SQLiteMetastore:
    return SQLiteMetastore(home / "metastore.sqlite")


@contextmanager
def readers(home: Path, warehouse: str | None = None):
    """The readers' file, as it stands when everything is published."""
    file = home / "dayslice.duckdb"
    readers_file.make(file, home / "metastore.sqlite", warehouse or str(home / "landing"))
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


def land_slice(home: Path, table: Table, ds: str, rows: str | None, columns: str) -> Version:
    """Publish a slice. `rows` is a SELECT, or none for no rows; `columns` are its columns with their types."""
    slice = Slice(table, ds)
    version = new_version_id()
    location = version_location(str(home / "landing"), slice, version)
    Path(location).mkdir(parents=True)
    pairs = [column.split(maxsplit=1) for column in columns.split(",")]
    names = ", ".join(name for name, _ in pairs)
    casts = ", ".join(f"cast({name} as {type}) as {name}" for name, type in pairs)
    source = rows or f"select {', '.join('null' for _ in pairs)} where false"
    with duckdb.connect() as connection:
        select = f"select {casts}, '{ds}' as ds from ({source}) as t({names})"
        count = copy_to_parquet(connection, select, f"{location}/part-00.parquet")
        types = connection.execute(f"describe {select}").fetchall()
    more = {
        "columns": json.dumps([[name, type] for name, type, *_ in types if name != "ds"]),
        "parts": json.dumps(["part-00.parquet"]),
        "sizes": json.dumps([Path(f"{location}/part-00.parquet").stat().st_size]),
    }
    published = Version(slice, version, Receipt(rows=count, files=1, more=more), location)
    with metastore_of(home) as metastore:
        metastore.publish(published)
    return published


def all_versions(home: Path) -> list[tuple[str, str, str, bool]]:
    """Table, ds, version, whether it is published; of everything, in the order of publication."""
    connection = sqlite3.connect(home / "metastore.sqlite")
    try:
        found = connection.execute(
            "select v.name, v.ds, v.id, p.id is not null from versions v left join published p "
            "using (schema, name, ds, id) where v.ds <> '' order by v.written"
        ).fetchall()
    finally:
        connection.close()
    return [(name, ds, version, bool(published)) for name, ds, version, published in found]


def move_slices(home: Path, table: str, moved: dict[str, str]) -> None:
    """As if slices had been published for another ds."""
    connection = sqlite3.connect(home / "metastore.sqlite")
    with connection:
        for ds, location in connection.execute("select ds, location from versions where name = ?", [table]).fetchall():
            if ds in moved:
                new = location.replace(f"ds={ds}", f"ds={moved[ds]}")
                Path(location).rename(new)
                key = [moved[ds], new, table, ds]
                connection.execute("update versions set ds = ?, location = ? where name = ? and ds = ?", key)
                connection.execute("update published set ds = ? where name = ? and ds = ?", [moved[ds], table, ds])
        connection.execute("update state set value = value + 1 where key = 'sequence'")
        connection.execute("update tables set changed = (select value from state where key = 'sequence')")
    connection.close()
