"""`dayslice versions`: what is kept of a slice."""

import json

import click
from rich.console import Console
from rich.table import Table as Grid

from dayslice.commands.options import as_json, target
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import parse_ds
from dayslice.rules.slices import Slice, Version
from dayslice.runner.project import load_project


@click.command()
@click.argument("table")
@click.option("--ds", required=True, metavar="DS", help="Which slice.")
@target
@as_json
def command(table: str, ds: str, target: str | None, as_json: bool) -> None:
    """List the versions of a slice that are kept, newest first, with their receipts. The published one is marked.

    \b
    Examples:
      dayslice versions flights_flat --ds 2013-01-05
      dayslice versions erp.flights --ds 2013-01-05 --json
    """
    project = load_project(target=target)
    node = project.find(table)
    place = Slice(node.table, parse_ds(ds, node.settings.grain))
    with open_metastore(project.target) as metastore:
        versions = metastore.versions(place)
        published = metastore.published(node.table, [place.ds]).get(place.ds)
    if as_json:
        click.echo(json.dumps([as_document(each, published) for each in versions], indent=2, ensure_ascii=False))
    elif versions:
        Console(width=None if Console().is_terminal else 200).print(grid(versions, published))
    else:
        click.echo(f"{node} {place.ds} is not published, and nothing of it is kept")


def grid(versions: list[Version], published: Version | None) -> Grid:
    """A line a version."""
    shown = Grid("version", "", "rows", "bytes", "finished", "run", "audits", box=None, header_style="bold")
    for each in versions:
        receipt = each.receipt
        mark = "[green]published[/green]" if published and each.id == published.id else ""
        audits = receipt.more.get("audits", "")
        finished = receipt.finished[:19].replace("T", " ")
        shown.add_row(each.id, mark, f"{receipt.rows:,}", f"{receipt.bytes:,}", finished, receipt.run[:21], audits)
    return shown


def as_document(version: Version, published: Version | None) -> dict[str, object]:
    """One version, its whole receipt in it."""
    return {
        "version": version.id,
        "published": published is not None and version.id == published.id,
        "location": version.location,
        **{key.removeprefix("dayslice."): value for key, value in version.receipt.to_parameters().items()},
        "rows": version.receipt.rows,
        "bytes": version.receipt.bytes,
        "files": version.receipt.files,
    }
