"""`dayslice check`: whether the project can be deployed."""

from collections import Counter

import click

from dayslice.cli import print_json
from dayslice.commands.options import as_json, target
from dayslice.deployment import check
from dayslice.project import find_root


@click.command()
@target
@as_json
def command(target: str | None, as_json: bool) -> int:
    """Parse the project and make its DAGs in memory. Nothing is written, no service is asked.

    What is wrong is named with file and line, and the exit code is 2. Run it in CI before a merge.

    \b
    Examples:
      dayslice check
      dayslice check --target trino
    """
    project, tables = check(find_root(), target)
    if as_json:
        print_json({"target": project.target.name, "tables": [each.dag_id for each in tables]})
        return 0
    kinds = Counter("import" if each.is_import else "model" for each in tables)
    waits = sum(len(each.waits) for each in tables)
    click.echo(
        f"{len(tables)} tables for target {project.target.name}: {kinds['import']} imports, {kinds['model']} models, "
        f"{waits} waits; all of them can be deployed"
    )
    return 0
