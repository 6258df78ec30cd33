"""`dayslice init`: a warehouse of one's own."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from dayslice.engines.target import home_of
from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain, last_complete
from dayslice.starter import example
from dayslice.starter.project import FirstImport, Written, project_name, write_first, write_shop


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--source", metavar="URI", help="postgresql://user@host/database to import from; default: a small shop.")
def command(directory: Path, source: str | None) -> None:
    """Make a project in DIRECTORY: one import and one model that run at once. Files that are there stay as they are.

    Macros, importers and DAG files are not copied: they come with the installed package. Without --source the import
    is of a small shop in an embedded PostgreSQL. A password in the URI is written nowhere.

    \b
    Examples:
      dayslice init my_warehouse
      dayslice init my_warehouse --source postgresql://reader@erp.internal/erp
    """
    project_name(directory)
    if source is None:
        written, first, export = _init_shop(directory), _shop_import(), ""
    else:
        written, first, export = _init_source(directory, source)
    for path in written.new:
        click.echo(f"wrote {directory / path}")
    for path in written.kept:
        click.echo(f"kept  {directory / path}")
    click.echo("\nNow:")
    for line in (
        f"cd {directory}",
        *([export] if export else []),
        f"dayslice import {first.source}.{first.table} --ds {first.ds}",
        f"dayslice build --ds {first.ds}",
        "dayslice status",
    ):
        click.echo(f"  {line}")


def _shop_import() -> FirstImport:
    return FirstImport(example.CONNECTION, example.TABLE, "order_id", "", example.DS)


def _init_shop(root: Path) -> Written:
    home = home_of(root)
    example.make_shop(home)
    table = _read(example.CONNECTION, home, example.TABLE)
    return write_shop(root, _first(example.CONNECTION, table, example.DS, {"slice": "events", "on": example.ON}))


def _init_source(root: Path, uri: str) -> tuple[Written, FirstImport, str]:
    from dayslice_importers.addresses import variable_of  # noqa: PLC0415
    from psycopg2 import ProgrammingError  # noqa: PLC0415 - only when something is asked of a source
    from psycopg2.extensions import parse_dsn  # noqa: PLC0415

    try:
        place = parse_dsn(uri)
    except ProgrammingError:  # its message shows the text, and so maybe the password
        raise UsageError("--source is neither a URI (postgresql://user@host/database) nor libpq's text") from None
    name = re.sub(r"\W+", "_", place.get("dbname", "source"), flags=re.ASCII).strip("_").lower() or "source"
    os.environ[variable_of(name)] = uri
    table = _read(name, home_of(root), None)
    first = _first(name, table, last_complete(datetime.now(UTC), Grain.DAY, UTC), {})
    shown = "…" if "password" in place else f"'{uri}'"
    return write_first(root, first, variable_of(name)), first, f"export {variable_of(name)}={shown}"


def _read(connection: str, home: Path, table: str | None) -> Any:
    """A table of a source by its name, or the one to begin with."""
    from dayslice_importers.choosing import first_table  # noqa: PLC0415 - psycopg2
    from dayslice_importers.connections import connect  # noqa: PLC0415
    from dayslice_importers.discovery import discover  # noqa: PLC0415

    with connect(connection, home) as session:
        return discover(session, "public", table) if table else first_table(session, connection)


def _first(source: str, table: Any, ds: str, own: dict[str, str]) -> FirstImport:
    from dayslice_importers.names import engine_names  # noqa: PLC0415
    from dayslice_importers.scaffold import import_yaml  # noqa: PLC0415

    own = {**own, **({"source_schema": table.schema} if table.schema != "public" else {})}
    names = engine_names(column.name for column in table.columns if column.readable)
    text = import_yaml(source, table.name, table, {"connection": source}, own)
    return FirstImport(source, table.name, next(iter(names.values())), text, ds)
