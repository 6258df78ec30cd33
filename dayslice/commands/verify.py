"""`dayslice verify`: are the files those that were written?"""

import itertools
import json
from dataclasses import asdict

import click

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.metastore.places import NOT_HERE
from dayslice.runner.project import load_project
from dayslice.runner.selection import select_tables
from dayslice.runner.verify import Verified, verify, verify_whole_tables


@click.command()
@click.option("--deep", is_flag=True, help="Read every file and compare its checksum; without it, names and sizes.")
@select
@exclude
@target
@as_json
def command(deep: bool, select: tuple[str, ...], exclude: tuple[str, ...], target: str | None, as_json: bool) -> int:
    """Compare the files of all kept versions with their receipts, and say which are damaged. Exit code 1 if any is.

    Without a selection those of tables without slices too, such as seeds.

    \b
    Examples:
      dayslice verify
      dayslice verify --deep --select erp.flights
    """
    project = load_project(target=target)
    seen = Verified()
    found = []
    whole = () if select or exclude else verify_whole_tables(project, deep, seen)
    for damage in itertools.chain(verify(project, select_tables(project, select, exclude), deep, seen), whole):
        found.append(damage)
        if not as_json:
            mark = "published, " if damage.published else ""
            what = f"{damage.table} {damage.ds}".strip()
            click.echo(f"damaged: {what} ({mark}{damage.version}): {damage.problem}")
    if as_json:
        click.echo(json.dumps({**asdict(seen), "damaged": [asdict(each) for each in found]}, indent=2))
    else:
        damaged = len(found) or "none"
        click.echo(f"{seen.versions} versions, {seen.files} files, {seen.bytes:,} bytes: {damaged} damaged")
        if seen.unsummed:
            click.echo(
                f"{seen.unsummed} files have no checksum, as those that DuckDB writes to S3: sizes were compared"
            )
        if found:
            click.echo("make a slice again by dayslice build or import, or go back: dayslice rollback")
        if project.target.is_local and any(NOT_HERE in each.problem for each in found):
            click.echo("if this warehouse was moved or restored from elsewhere, with its metastore: dayslice adopt")
    return 1 if found else 0
