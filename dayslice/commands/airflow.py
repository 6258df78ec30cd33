"""`dayslice airflow …`: what Airflow runs, and an Airflow on this machine."""

import click

from dayslice.cli import print_json
from dayslice.commands.options import as_json, target
from dayslice.deployment import deploy as deploy_project
from dayslice.project import find_root


@click.group()
def command() -> None:
    """Put the project in place for Airflow, where every table is its own DAG.

    \b
    Examples:
      dayslice airflow deploy
      dayslice airflow deploy --target trino
    """


@command.command()
@target
@as_json
def deploy(target: str | None, as_json: bool) -> int:
    """Check the project and put it in place for Airflow, in one step. Airflow sees it at its next look.

    A project that does not pass is refused: what was deployed before goes on, and Airflow shows the error.

    \b
    Examples:
      dayslice airflow deploy
      dayslice airflow deploy --target staging
    """
    deployment = deploy_project(find_root(), target)
    if as_json:
        print_json({"deployment": deployment.id, "target": deployment.target, "dags": list(deployment.entries)})
    else:
        click.echo(f"deployed {len(deployment.entries)} DAGs for target {deployment.target}: {deployment.project}")
    return 0
