"""One DuckDB instance for each publication of the readers' file, behind a fence, shared by all that ask.

The readers' file is renamed into place at each publication. An instance has the file attached that was there when it
began, for reading only, in memory of its own: two publications do not meet in DuckDB's table of open files. Outside
of it, it reads the files that the views of the readers' file name, one by one, and writes nothing anywhere.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb

CATALOG = "dayslice"
# Beside the readers' tables: what Superset's own home knows of slices.
SCHEMA = "warehouse"
READING = ("read_parquet", "parquet_scan", "read_csv", "read_csv_auto")
Seen = tuple[tuple[int, int, int], ...]

SLICES = f"""
create view {SCHEMA}.slices as
select
    schema_name,
    table_name,
    ds,
    published,
    "rows",
    late_at,
    coalesce(coalesce(published, now() at time zone 'UTC') > late_at, false) as late
from {SCHEMA}.slices_known
"""


@dataclass(frozen=True)
class Limits:
    """What one instance may use."""

    memory: str
    threads: str


class Readers:
    """The readers' file at one publication, opened once."""

    _known: ClassVar[dict[tuple[Path | None, str], tuple[Seen, "Readers"]]] = {}
    _guard = threading.Lock()

    def __init__(self, file: Path | None, slices: Path | None, limits: Limits, s3: Path | None = None):
        self.instance = duckdb.connect(":memory:")
        self.instance.execute("set autoinstall_known_extensions = false")
        self.instance.execute("set TimeZone = 'UTC'")
        _load_slices(self.instance, slices)
        if s3 is not None:
            _read_s3(self.instance, s3)
        if file is not None:
            # Before the first publication there is none, and nothing to read.
            there = _text(str(file)) if file.exists() else "':memory:'"
            self.instance.execute(f"attach {there} as {CATALOG}" + (" (read_only)" if file.exists() else ""))
            # Two catalogs are not found by the name of a schema: in this one, each table is a view of the attached one.
            for schema, name in _relations(self.instance):
                self.instance.execute(f"create schema if not exists {_name(schema)}")
                relation = f"{_name(schema)}.{_name(name)}"
                self.instance.execute(f"create view {relation} as from {CATALOG}.{relation}")
        paths = sorted(_files_of_views(self.instance)) if file is not None else []
        self.instance.execute(f"set allowed_paths = [{', '.join(map(_text, paths))}]")
        self.instance.execute(f"set memory_limit = {_text(limits.memory)}")
        self.instance.execute(f"set threads = {int(limits.threads)}")
        self.instance.execute("set temp_directory = ''")
        self.instance.execute("set enable_external_access = false")
        self.instance.execute("set lock_configuration = true")

    @classmethod
    def of(cls, file: Path | None, options: Mapping[str, Any]) -> "Readers":
        """What the readers' file is now: opened anew only if it was published anew."""
        slices = Path(options["slices"]) if options.get("slices") else None
        s3 = Path(options["s3"]) if options.get("s3") else None
        limits = Limits(options.get("memory", "1GB"), options.get("threads", "2"))
        with cls._guard:
            key = (file, str(options.get("slices", "")))
            seen = _seen(file, slices, s3)
            known = cls._known.get(key)
            if known is None or known[0] != seen:
                while True:
                    opened = cls(file, slices, limits, s3)
                    before, seen = seen, _seen(file, slices, s3)
                    if before == seen:  # not renamed while it was opened
                        break
                known = cls._known[key] = (seen, opened)
            return known[1]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own: its transaction and its interruption are nobody else's."""
        return self.instance.cursor()


def _seen(*files: Path | None) -> Seen:
    """What tells one publication of files from the next."""
    found = []
    for file in files:
        try:
            stat = file.stat() if file else None
        except FileNotFoundError:
            stat = None
        found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size) if stat else (0, 0, 0))
    return tuple(found)


def _read_s3(instance: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Let an instance read s3://, with the extension and the keys that a deployment left in a file of its owner."""
    told = json.loads(file.read_text())
    instance.execute(f"load {_text(told['extension'])}")
    settings = ", ".join(f"{name} {_text(value)}" for name, value in told["secret"].items())
    instance.execute(f"create temporary secret slices (type s3, {settings})")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _relations(instance: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The tables and views of the readers' file, by schema. What begins with an underscore is nobody's to read."""
    found = instance.execute(
        "select table_schema, table_name from information_schema.tables "
        f"where table_catalog = '{CATALOG}' and not starts_with(table_schema, '_') and not starts_with(table_name, '_')"
    ).fetchall()
    return [(schema, name) for schema, name in found]


def _files_of_views(instance: duckdb.DuckDBPyConnection) -> set[str]:
    """The files that the readers' views are made of, as DuckDB's own parser finds them in the views."""
    found: set[str] = set()
    views = instance.execute(
        f"select sql from duckdb_views() where database_name = '{CATALOG}' and not internal and sql is not null"
    ).fetchall()
    for (sql,) in views:
        query = sql.partition(" AS ")[2].rstrip().rstrip(";")
        answer = instance.execute("select json_serialize_sql($1)", [query]).fetchone()
        found.update(_literals(json.loads(answer[0])) if answer else ())
    return found


def _literals(tree: Any) -> set[str]:
    """The files that are given to functions that read files: their first argument. Others are options."""
    if isinstance(tree, list):
        return set().union(*map(_literals, tree)) if tree else set()
    if not isinstance(tree, dict):
        return set()
    if tree.get("type") == "TABLE_FUNCTION" and tree["function"]["function_name"] in READING:
        return set(_constants(tree["function"]["children"][:1]))
    return _literals(list(tree.values()))


def _constants(tree: Any) -> list[str]:
    if isinstance(tree, list):
        return [text for each in tree for text in _constants(each)]
    if not isinstance(tree, dict):
        return []
    if tree.get("class") == "CONSTANT" and isinstance(tree["value"].get("value"), str):
        text: str = tree["value"]["value"]
        return text.split("\n")  # a long list is one text, a line a file
    return _constants(list(tree.values()))


def _load_slices(instance: duckdb.DuckDBPyConnection, file: Path | None) -> None:
    """What is known of slices, as a table of this instance."""
    instance.execute(f"create schema {SCHEMA}")
    instance.execute(
        f"create table {SCHEMA}.slices_known "
        '(schema_name varchar, table_name varchar, ds varchar, published timestamp, "rows" bigint, late_at timestamp)'
    )
    if file is not None and file.exists():
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as known:
            rows = known.execute("select schema_name, table_name, ds, published, rows, late_at from slices").fetchall()
        names = ("schema_name", "table_name", "ds", "published", "rows", "late_at")
        shape = json.dumps([{name: "BIGINT" if name == "rows" else "VARCHAR" for name in names}])
        told = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
        # One parameter: DuckDB takes a millisecond for each row of `executemany`.
        instance.execute(
            f"insert into {SCHEMA}.slices_known select each.* from (select unnest(from_json($1, $2)) as each)",
            [told, shape],
        )
    instance.execute(SLICES)
