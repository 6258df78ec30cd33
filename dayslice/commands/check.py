"""`dayslice check`: whether the project can be deployed."""

from collections import Counter

import click

from dayslice.commands.options import as_json, target
from dayslice.console import print_json
from dayslice.orchestration.deployment import check
from dayslice.rules.graph import TableNode
from dayslice.runner.audits import check_audits
from dayslice.runner.dashboards import check_files
from dayslice.runner.new_tables import check_placeholders
from dayslice.runner.project import Project, find_root


@click.command()
@target
@as_json
def command(target: str | None, as_json: bool) -> int:
    """Parse the project, compile its audits, make its DAGs in memory, and hold its dashboards to its tables. Nothing is
    written, no service is asked.

    What is wrong is named with file and line, and the exit code is 2. Run it in CI before a merge.

    \b
    Examples:
      dayslice check
      dayslice check --target trino
    """
    check_placeholders(find_root())
    project, tables = check(find_root(), target)
    check_audits(project)
    files = check_files(project)
    for node in unquoted_on(project):
        click.echo(
            f'{node.yaml}: {node}: write "on" in quotes: a bare one is YAML\'s word for true, which dbt '
            "cannot keep between runs, so that it parses the whole project again at each start",
            err=True,
        )
    if as_json:
        tables_said = [each.dag_id for each in tables]
        print_json({"target": project.target.name, "tables": tables_said, "dashboards": list(files.dashboards)})
        return 0
    boards = f"{len(files.dashboards)} dashboard{'s'[: len(files.dashboards) != 1]}"
    kinds = Counter("import" if each.is_import else "model" for each in tables)
    waits = sum(len(each.waits) for each in tables)
    click.echo(
        f"{len(tables)} tables for target {project.target.name}: {kinds['import']} imports, {kinds['model']} models, "
        f"{waits} waits, {boards}; all of them can be deployed"
    )
    return 0


def unquoted_on(project: Project) -> list[TableNode]:
    """Imports whose `on:` came through YAML as the boolean true."""
    metas = {unique_id: source["config"]["meta"] for unique_id, source in project.graph["sources"].items()}
    return [node for node in project.imports if True in metas[node.unique_id] or "True" in metas[node.unique_id]]
