"""`dayslice new`: write what a person would otherwise type."""

from pathlib import Path
from typing import Any

import click

from dayslice.commands.options import target
from dayslice.errors import UsageError
from dayslice.rules.graph import merged_meta
from dayslice.runner.project import Project, load_project


@click.group()
def command() -> None:
    """Write the file of something new, with what is known of it.

    \b
    Examples:
      dayslice new import erp.orders
      dayslice new import erp.payments --events-on paid_at
    """


@command.command("import")
@click.argument("name", metavar="SOURCE.TABLE")
@click.option("--connection", metavar="NAME", help="The named connection; default: the source's, or its name.")
@click.option("--from", "place", metavar="SCHEMA.TABLE", help="The table in PostgreSQL; default: public and its name.")
@click.option("--events-on", "on", metavar="COLUMN", help="Cut by this date or timestamp; default: a daily snapshot.")
@target
def new_import(name: str, connection: str | None, place: str | None, on: str | None, target: str | None) -> None:
    """Write models/SOURCE/TABLE.yml with the table's columns, types, comments and keys.

    \b
    Examples:
      dayslice new import erp.orders
      dayslice new import erp.payments --events-on paid_at --from billing.payments
    """
    from dayslice_importers.connections import connect  # noqa: PLC0415 - psycopg2, only when something is asked of a source
    from dayslice_importers.discovery import discover  # noqa: PLC0415
    from dayslice_importers.scaffold import import_yaml, references_of  # noqa: PLC0415

    from dayslice.runner.imports import start_sources  # noqa: PLC0415

    source, _, table_name = name.partition(".")
    if not source or not table_name or "." in table_name:
        raise UsageError(f"{name!r} names no import: write source.table, as in erp.orders")
    project = load_project(target=target)
    file = project.root / "models" / source / f"{table_name}.yml"
    check_new(project, source, table_name, file)
    meta = source_meta(project, source)
    meta["connection"] = connection or meta.get("connection", source)
    schema, _, table = (place or f"public.{table_name}").partition(".")
    own = {"slice": "events", "on": on} if on else {}
    own |= {"source_schema": schema} if schema != "public" else {}
    own |= {"source_table": table} if table != table_name else {}
    start_sources(project.target.home, [meta["connection"]])
    with connect(meta["connection"], project.target.home) as session:
        found = discover(session, schema, table)
        alike = [node for node in project.imports if node.meta["connection"] == meta["connection"]]
        references, untested = references_of(session, name, found, alike)
    if on and on not in [column.name for column in found.columns]:
        raise UsageError(f"--events-on: {found} has no column {on!r}")
    text = import_yaml(source, table_name, found, meta, own, references)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    click.echo(f"{file.relative_to(project.root)}: {len(found.columns)} columns; try dayslice import {name} --ds …")
    for key in untested:
        click.echo(f"{key.column} references {key.schema}.{key.table}, which is no import: nothing tests that yet")


def check_new(project: Project, source: str, table: str, file: Path) -> None:
    """Raises UsageError for an import or a file that is there."""
    for node in project.imports:
        if node.name == f"{source}.{table}":
            raise UsageError(f"{node} is an import already, in {node.path}")
    if file.exists():
        raise UsageError(f"{file.relative_to(project.root)} is there already")


def source_meta(project: Project, source: str) -> dict[str, Any]:
    """What other tables of a source say of it; {} for a new source."""
    for node in project.graph["sources"].values():
        if node["source_name"] == source:
            return {key: merged_meta(node)[key] for key in node.get("source_meta") or {}}
    return {}
