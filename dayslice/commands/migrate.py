"""`dayslice migrate`: a home of before, to slices in files."""

import json
from dataclasses import asdict

import click

from dayslice.commands.options import as_json, target
from dayslice.runner.migrate import migrate
from dayslice.runner.project import load_project


@click.command()
@target
@as_json
def command(target: str | None, as_json: bool) -> None:
    """Take a warehouse of before, one DuckDB file, to slices in files. Once; nothing is lost.

    The old file is read and put aside as dayslice.before.duckdb. What cannot be taken over is refused by name before
    anything is changed.

    \b
    Examples:
      dayslice migrate
    """
    done = migrate(load_project(target=target).target)
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
        return
    click.echo(
        f"{done.slices} slices ({done.versions} versions), {len(done.tables)} tables without slices, "
        f"{len(done.views)} views; the file of before is {done.kept}"
    )
