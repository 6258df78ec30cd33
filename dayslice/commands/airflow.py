"""`dayslice airflow …`: what Airflow runs, and an Airflow on this machine."""

from dataclasses import asdict

import click
from rich.console import Console

from dayslice.commands.options import as_json, asked, target
from dayslice.console import print_json
from dayslice.errors import UsageError
from dayslice.orchestration.instance import USER, AirflowInstance, is_well
from dayslice.runner.project import find_root
from dayslice.services.service_reports import rows_of, steps, table_of

staging = click.option("--staging", is_flag=True, help="The second Airflow, which serves the target staging.")


@click.group()
def command() -> None:
    """Put the project in place for Airflow, where every table is its own DAG; and run an Airflow on this machine.

    \b
    Examples:
      dayslice airflow up                   # deploy, start, and print the admin's password
      dayslice airflow status
      dayslice airflow deploy               # after a change; Airflow goes on running
      dayslice airflow wipe flights_flat    # forget its runs; the warehouse is untouched
      dayslice airflow down
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
    from dayslice.orchestration.deployment import STAGING  # noqa: PLC0415
    from dayslice.orchestration.deployment import deploy as deploy_project  # noqa: PLC0415
    from dayslice.orchestration.removed import removed  # noqa: PLC0415
    from dayslice.orchestration.start import make_pools  # noqa: PLC0415 - dbt takes a second to import

    root = find_root()
    deployment = deploy_project(root, target)
    instance = AirflowInstance(root, staging=deployment.target == STAGING)
    made = make_pools(instance, deployment)
    gone = removed(instance, deployment)
    if as_json:
        print_json(
            {
                "deployment": deployment.id,
                "target": deployment.target,
                "dags": list(deployment.entries),
                "pools": dict(deployment.pools),
                "removed": [asdict(each) for each in gone],
            }
        )
    else:
        click.echo(f"deployed {len(deployment.entries)} DAGs for target {deployment.target}: {deployment.project}")
        if made:
            click.echo(f"new pools in Airflow: {', '.join(made)}")
        for each in gone:
            click.echo(each.in_words(instance))
    return 0


@command.command()
@staging
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Of its pages and API. Default: the last one, or 8080 (staging 8081)."
)
@click.option("--new-password", is_flag=True, help="Give the admin a new password, whether or not it runs.")
@as_json
def up(staging: bool, port: int | None, new_password: bool, as_json: bool) -> int:
    """Start Airflow's four processes on 127.0.0.1, or those that do not run; return when they are well.

    The project is deployed if none is yet; later only `dayslice airflow deploy` does that: a restart is no release.
    Its home is DAYSLICE_HOME/airflow (or airflow-staging). Its metadata is in SQLite there, or where
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN says. New DAGs are paused. If it runs, this does nothing.

    \b
    Examples:
      dayslice airflow up
      dayslice airflow up --port 8090
      dayslice airflow up --staging
      dayslice airflow up --new-password    # the admin's; logins that are open stay open
    """
    from dayslice.orchestration.start import start  # noqa: PLC0415 - dbt takes a second to import

    instance = AirflowInstance(find_root(), staging)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with steps(console) as progress:
        started = start(instance, port, progress)
    password = instance.new_password() if new_password and not started.password else started.password
    if as_json:
        print_json(
            {
                "url": instance.url,
                "home": str(instance.home),
                "was_running": started.was_running,
                "user": USER,
                "password": password,
                "deployed": started.deployed,
            }
        )
        return 0
    if not started.was_running and not started.deployed:
        click.echo("what is deployed is served; changes of the project are put in place by dayslice airflow deploy")
    again = instance.command.format("up")
    click.echo(f"{instance.name}'s Airflow {'runs already' if started.was_running else 'is up'}: {instance.url}")
    if password:
        click.echo(f"user {USER}, password {password} (shown once; for a new one: {again} --new-password)")
    else:
        click.echo(f"user {USER}, password as shown when it was made (for a new one: {again} --new-password)")
    click.echo(f"logs: {instance.home}; to end it: {instance.command.format('down')}")
    return 0


@command.command()
@staging
@as_json
def down(staging: bool, as_json: bool) -> int:
    """Stop Airflow. Tasks that run have 30 seconds to end; what is cut off is tried again after the
    next `up`.

    \b
    Examples:
      dayslice airflow down
      dayslice airflow down --staging
    """
    instance = AirflowInstance(find_root(), staging)
    console = Console(stderr=True, highlight=False)
    with instance.lock(), steps(console) as progress:
        stopped = instance.stop(progress)
    if as_json:
        print_json({"stopped": stopped})
    elif not stopped:
        click.echo(f"{instance.name}'s Airflow did not run")
    return 0


@command.command()
@staging
@as_json
def status(staging: bool, as_json: bool) -> int:
    """What runs, how Airflow says it is, and where its pages are. Ends with 1 if something does not run.

    \b
    Examples:
      dayslice airflow status
      dayslice airflow status --staging --json
    """
    instance = AirflowInstance(find_root(), staging)
    rows, health = rows_of(instance.services()), instance.health()
    well = all(row["running"] for row in rows) and is_well(health)
    settings = instance.settings
    if as_json:
        print_json(
            {
                "url": instance.url,
                "home": str(instance.home),
                "target": settings.target if settings else None,
                "database": instance.database,
                "processes": rows,
                "health": health,
            }
        )
    elif settings is None:
        click.echo(f"there is no Airflow in {instance.home}: {instance.command.format('up')} makes one")
    else:
        Console().print(table_of(rows))
        parts = {name: part["status"] for name, part in (health or {}).items() if part and part.get("status")}
        click.echo("health: " + (", ".join(f"{name} {said}" for name, said in parts.items()) or "no answer"))
        click.echo(f"{instance.url}, target {settings.target}, metadata in {instance.database}")
        click.echo(f"logs: {instance.home}/<process>/log; of tasks: {instance.home / 'logs'}")
    return 0 if well else 1


@command.command(context_settings={"ignore_unknown_options": True})
@staging
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, required=True)
def cli(staging: bool, arguments: tuple[str, ...]) -> int:
    """Airflow's own command line on this Airflow: its home, its database, its DAGs.

    \b
    Examples:
      dayslice airflow cli dags list
      dayslice airflow cli dags unpause flights_flat
      dayslice airflow cli backfill create --dag-id flights_flat --from-date 2013-01-01 --to-date '2013-01-14 23:59:59'
      dayslice airflow cli --staging dags list-import-errors
    """
    return AirflowInstance(find_root(), staging).run_here(*arguments)


@command.command()
@click.argument("dag")
@click.option("--logs", is_flag=True, help="Delete its tasks' logs too.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--staging", is_flag=True, help="Of the second Airflow only; else of both, where both are.")
@as_json
def wipe(dag: str, logs: bool, yes: bool, staging: bool, as_json: bool) -> int:
    """Let Airflow forget a DAG: its runs, task instances and XComs. The warehouse is untouched.

    Works whether or not Airflow runs. The DAG is there again, paused, when its file is next looked at. Airflow's
    audit log, which says who did what, stays.

    \b
    Examples:
      dayslice airflow wipe flights_flat
      dayslice airflow wipe erp.flights --logs --yes
      dayslice airflow wipe flights_flat --staging
    """
    from dayslice.orchestration.wipe import instances_with_state  # noqa: PLC0415
    from dayslice.orchestration.wipe import wipe as wipe_dag  # noqa: PLC0415

    instances = instances_with_state(find_root(), staging)
    if not instances:
        raise UsageError("there is no Airflow of this project on this machine, so there is nothing to wipe")
    where = " and ".join(str(each.home) for each in instances)
    what = "runs, task instances, XComs" + (" and logs" if logs else "")
    question = f"Airflow in {where} forgets all {what} of {dag}. The warehouse stays. Go on?"
    if not yes and not asked(question, "--yes goes on without a question"):
        click.echo("nothing was done")
        return 0
    done = wipe_dag(instances, dag, logs)
    if not any(each.known for each in done):
        raise UsageError(f"Airflow in {where} knows no DAG {dag!r}; `dayslice airflow status` says where its pages are")
    if as_json:
        print_json(
            [{"home": str(each.instance.home), "wiped": each.known, "logs": each.logs is not None} for each in done]
        )
        return 0
    for each in done:
        logs_too = ", and its logs" if each.logs else ""
        said = f"forgot {dag}{logs_too}" if each.known else f"knew no DAG {dag}"
        click.echo(f"{each.instance.name}'s Airflow {said}")
    return 0
