"""`dayslice verify`: are the files those that were written?"""

import json
from dataclasses import asdict

import click

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.runner.project import load_project
from dayslice.runner.selection import select_tables
from dayslice.runner.verify import Verified, verify


@click.command()
@click.option("--deep", is_flag=True, help="Read every file and compare its checksum; without it, names and sizes.")
@select
@exclude
@target
@as_json
def command(deep: bool, select: tuple[str, ...], exclude: tuple[str, ...], target: str | None, as_json: bool) -> int:
    """Compare the files of all kept versions with their receipts, and say which are damaged. Exit code 1 if any is.

    \b
    Examples:
      dayslice verify
      dayslice verify --deep --select erp.flights
    """
    project = load_project(target=target)
    seen = Verified()
    found = []
    for damage in verify(project, select_tables(project, select, exclude), deep, seen):
        found.append(damage)
        if not as_json:
            mark = "published, " if damage.published else ""
            click.echo(f"damaged: {damage.table} {damage.ds} ({mark}{damage.version}): {damage.problem}")
    if as_json:
        click.echo(json.dumps({**asdict(seen), "damaged": [asdict(each) for each in found]}, indent=2))
    else:
        damaged = len(found) or "none"
        click.echo(f"{seen.versions} versions, {seen.files} files, {seen.bytes:,} bytes: {damaged} damaged")
    return 1 if found else 0
