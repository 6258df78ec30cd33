"""What a notebook asks: `dayslice.read` and `dayslice.sql`. Each looks at what is published when it is called."""

import difflib
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from dayslice.engines.embedded import QUIET, open_engine, settings
from dayslice.engines.reading import select_versions
from dayslice.engines.target import Target, time_zone_of
from dayslice.errors import UsageError
from dayslice.metastore.integrity import check_sizes
from dayslice.metastore.interface import Metastore
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.metastore.visible import Visible
from dayslice.rules.calendar import parse_ds
from dayslice.rules.diff_queries import quoted
from dayslice.rules.past import moment_of
from dayslice.rules.receipts import is_import
from dayslice.rules.slices import Slice, Table, Version, version_named
from dayslice.runner.asking import Rendering, asking
from dayslice.runner.project import find_root
from dayslice.runner.quick_target import quick_target
from dayslice.runner.rows import HELD, Rows

HOME = "DAYSLICE_HOME"


def read(
    table: str,
    *,
    ds: str | date | None = None,
    version: str | None = None,
    as_of: str | datetime | None = None,
    target: str | None = None,
    project: str | os.PathLike[str] | None = None,
) -> Rows:
    """The rows of a published table, seed or view: all slices, or the one of `ds`, as it is or as `version` has it.

    `version` is an id, or how one begins, of those that `dayslice versions` lists. `as_of`: what was published at a
    moment, as in '2018-03-03 09:00', as far as its versions are kept. `project` is the folder of dbt_project.yml; by
    default it is found from the working directory, or from DAYSLICE_HOME, upwards.
    """
    root = root_of(project)
    place = quick_target(root, target)
    schema, _, name = table.rpartition(".")
    wanted = Table(schema or place.schema, name)
    slice = parse_ds(ds) if ds is not None else None
    if version is not None and slice is None:
        raise UsageError(f"{table}: version {version} is a version of a slice: give its ds too")
    if as_of is not None:
        if version is not None:
            raise UsageError(f"{table}: version and as_of are two ways to say which version: give one of them")
        return _read_past(root, place, wanted, slice, as_of)
    if place.is_local:
        return _read_files(root, place, wanted, slice, version)
    return _read_trino(root, place, wanted, slice, version)


def sql(
    statement: str,
    *,
    ds: str | date | None = None,
    as_of: str | datetime | None = None,
    target: str | None = None,
    project: str | os.PathLike[str] | None = None,
) -> Rows:
    """The rows of a SELECT over what is published, with Jinja as in models; see `dayslice sql --help`."""
    root = root_of(project)
    rendered = Rendering(root, target, parse_ds(ds) if ds is not None else None).render(statement)
    place = quick_target(root, target)
    zone = time_zone_of(root)
    at = _moment(as_of, zone) if as_of is not None else None
    if not place.is_local:
        return _ask_trino(root, place, rendered, at)
    if at is not None:
        from dayslice.runner.past import past_of  # noqa: PLC0415 - for those who look back

        with past_of(place, at, zone) as past:
            return _ask_files(past.target, zone, rendered, past)
    return _ask_files(place, zone, rendered)


def _ask_files(target: Target, zone: ZoneInfo, statement: str, past: Any = None) -> Rows:
    from dayslice.runner.fenced_duckdb import open_fence, said  # noqa: PLC0415 - half a tenth of a second

    fenced = open_fence(target, zone.key)
    if past is not None:
        fenced.also_check = lambda sql: past.look(fenced.connection, sql, lambda how_far: None)
    try:
        return fenced.run(statement, lambda each: Rows.of(fenced.connection, fenced.connection.sql(each)))
    except duckdb.Error as error:
        raise said(error) from None


def _moment(as_of: str | datetime, zone: ZoneInfo) -> datetime:
    return moment_of(as_of if isinstance(as_of, str) else as_of.isoformat(), zone, datetime.now(UTC))


def root_of(project: str | os.PathLike[str] | None) -> Path:
    """The project's folder. Raises UsageError where there is none."""
    if project is not None:
        return find_root(Path(project).expanduser())
    try:
        return find_root()
    except UsageError:
        home = os.environ.get(HOME)
        if home and Path(home).is_absolute():
            return find_root(Path(home))
        raise UsageError(
            f"{Path.cwd()} is in no dbt project: give its folder, as in dayslice.read(…, project='/srv/warehouse')"
        ) from None


def _read_past(root: Path, target: Target, table: Table, ds: str | None, as_of: str | datetime) -> Rows:
    from dayslice.runner.past import past_of, version_then  # noqa: PLC0415 - for those who look back

    zone = time_zone_of(root)
    at = _moment(as_of, zone)
    if target.is_local:
        with past_of(target, at, zone) as past:
            past.refuse(table, ds)
            return _read_files(root, past.target, table, ds, None)
    if ds is None:
        return _ask_trino(root, target, f"select * from {_named(table)}", at)
    return _read_trino(root, target, table, ds, version_then(target, Slice(table, ds), at).id)


def _read_files(root: Path, target: Target, table: Table, ds: str | None, version: str | None) -> Rows:
    with SQLiteMetastore(target.metastore_file) as metastore:
        connection = open_engine(target.home, target.warehouse)
        connection.execute(f"set TimeZone = '{time_zone_of(root).key}'")
        visible = Visible(connection, metastore)
        standing = metastore.standing(table)
        if standing is None:
            raise unknown(table, [str(each.table) for each in metastore.all_standing()])
        if ds is None:
            select = visible.select(standing)
        else:
            chosen = choose(metastore, Slice(table, ds), version)
            check_sizes([chosen])
            select = select_versions([chosen], visible.types(table))
        try:
            return Rows.of(connection, connection.sql(select))
        except duckdb.Error as error:
            from dayslice.runner.fenced_duckdb import said  # noqa: PLC0415

            raise said(error) from None


def _read_trino(root: Path, target: Target, table: Table, ds: str | None, version: str | None) -> Rows:
    from dayslice.metastore.choice import open_metastore  # noqa: PLC0415 - Thrift's generated code is large

    where = ""
    if ds is not None:
        with open_metastore(target) as metastore:
            chosen = choose(metastore, Slice(table, ds), version)
            published = choose(metastore, Slice(table, ds), None)
        if chosen.id != published.id:
            return _read_kept(root, target, chosen)
        where = f" where ds = '{ds}'"
    return _ask_trino(root, target, f"select * from {_named(table)}{where}")


def _named(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _read_kept(root: Path, target: Target, version: Version) -> Rows:
    """A version that is not published, by a table over its files that is there for as long as it is read."""
    from dayslice.runner.version_rows import open_rows  # noqa: PLC0415 - for those who have Trino

    check_sizes([version])
    with open_rows([target]) as rows:
        relation = rows.relation(version, is_import(version.receipt))
        columns = ", ".join(quoted(name) for name in rows.types(relation))
        return _ask_trino(root, target, f"select {columns}, '{version.slice.ds}' as ds from {relation}")


def _ask_trino(root: Path, target: Target, statement: str, at: datetime | None = None) -> Rows:
    from dayslice.engines.trino_rows import load  # noqa: PLC0415 - for those who have Trino

    with asking(root, target, at, lambda how_far: None) as trino, trino.ask(statement) as answer:
        connection = duckdb.connect(":memory:", config=settings(target.home))
        connection.execute(QUIET)
        connection.execute(f"set TimeZone = '{time_zone_of(root).key}'")
        load(connection, HELD, answer)
        return Rows(connection)


def choose(metastore: Metastore, slice: Slice, version: str | None) -> Version:
    """The published version of a slice, or the kept one that is named. Raises UsageError where there is none."""
    if version is not None:
        try:
            return version_named(metastore.versions(slice), version)
        except UsageError as error:
            raise UsageError(f"{slice}: {error}") from None
    found = metastore.published(slice.table, [slice.ds])
    if slice.ds not in found:
        newest = max(metastore.published_ds(slice.table), default=None)
        raise UsageError(f"{slice} is not published" + (f"; the newest slice is {newest}" if newest else ""))
    return found[slice.ds]


def unknown(table: Table, known: list[str]) -> UsageError:
    """Why a name cannot be read, and what may have been meant."""
    near: Any = difflib.get_close_matches(str(table), known, n=1)
    meant = f"; was {near[0]} meant?" if near else f"; there are {', '.join(known)}" if known else ""
    return UsageError(f"nothing that is published is called {table}{meant}")
