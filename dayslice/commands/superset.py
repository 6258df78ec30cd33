"""`dayslice superset …`: dashboards and SQL over the warehouse, with Superset on this machine."""

import threading
import time
from collections.abc import Callable

import click
from rich.console import Console

from dayslice.commands.options import as_json, target
from dayslice.console import print_json
from dayslice.engines.target import home_of
from dayslice.errors import DaysliceError, UsageError
from dayslice.runner.dashboards import Deployed
from dayslice.runner.dashboards import deploy as deploy_dashboards
from dayslice.runner.dashboards import export as export_dashboards
from dayslice.runner.project import Project, find_root, load_project
from dayslice.services.service_reports import rows_of, steps, table_of
from dayslice.services.superset.environment import environment_directory, made, make_environment
from dayslice.services.superset.instance import USER, Settings, SupersetInstance


@click.group(name="superset")
def command() -> None:
    """Superset on this machine: a dataset for each table, dashboards from files, SQL Lab for analysts.

    \b
    Examples:
      dayslice superset up                  # the first time, 0.9 GB are installed
      dayslice superset deploy              # after a change of models or of dashboards/
      dayslice superset export              # what was changed in the browser, as files
      dayslice superset down
    """


@command.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Of its pages. Default: the last one, or 8088.")
@click.option("--query-seconds", type=click.IntRange(1), help="A query is stopped after so long. Default: 60.")
@click.option("--memory", metavar="SIZE", help="Of all queries on DuckDB together, such as 2GB. Default: 1GB.")
@click.option("--new-password", is_flag=True, help="Give the admin a new password.")
@target
@as_json
def up(
    port: int | None,
    query_seconds: int | None,
    memory: str | None,
    new_password: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Start Superset on 127.0.0.1, and put the project's datasets and dashboards into it.

    Its home is DAYSLICE_HOME/superset; its own data are in SQLite there, or in the PostgreSQL that
    DAYSLICE_SUPERSET_DATABASE names. If it runs, only what changed is put.

    \b
    Examples:
      dayslice superset up
      dayslice superset up --port 8090 --query-seconds 30 --memory 4GB
      dayslice superset up --target trino
      dayslice superset up --new-password
    """
    root = find_root()
    instance = SupersetInstance(home_of(root))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    known = instance.settings or Settings()
    settings = Settings(port or known.port, query_seconds or known.query_seconds, memory or known.memory, known.threads)
    began = time.monotonic()
    with steps(console) as progress, instance.lock():
        was_running = instance.running()
        if was_running and (settings != known or new_password):
            raise UsageError("Superset runs, with other settings: end it first, with dayslice superset down")
        make_environment(progress)
        password = None
        if not was_running:
            password = instance.prepare(settings) or (instance.new_password() if new_password else None)
            if password and not as_json:
                # Now: what comes next may fail, and it is shown only once.
                click.echo(f"user {USER}, password {password} (shown once; another: up --new-password)")
        project, deployed = _start(instance, target, progress)
    told = {"url": instance.url, "home": str(instance.home), "was_running": was_running, "user": USER}
    if as_json:
        print_json({**told, "password": password, "stand": deployed.stand, "unchanged": deployed.unchanged})
        return 0
    click.echo(
        f"Superset {'runs already' if was_running else 'is up'} after {time.monotonic() - began:.0f} s: {instance.url}"
    )
    click.echo(_said(deployed, project))
    click.echo(f"log: {instance.service().log}; to end it: dayslice superset down")
    return 0


@command.command()
@target
@as_json
def deploy(target: str | None, as_json: bool) -> int:
    """Put the project's datasets, charts and dashboards into the running Superset, and count what stands.

    What came from a file that is gone is taken away; what was made in the browser stays.

    \b
    Examples:
      dayslice superset deploy
      dayslice superset deploy --target trino
    """
    root = find_root()
    instance = _running(SupersetInstance(home_of(root)))
    project = load_project(root, target)
    deployed = deploy_dashboards(project, instance, again=True)
    if as_json:
        print_json({"stand": deployed.stand, "removed": deployed.removed})
    else:
        click.echo(_said(deployed, project))
    return 0


@command.command()
@as_json
def export(as_json: bool) -> int:
    """Write what was changed in the browser into `dashboards/`, where git shows the difference.

    \b
    Examples:
      dayslice superset export && git diff dashboards
    """
    root = find_root()
    instance = _running(SupersetInstance(home_of(root)))
    written = export_dashboards(load_project(root), instance)
    if as_json:
        print_json([str(file.relative_to(root)) for file in written])
        return 0
    for file in written:
        click.echo(f"wrote {file.relative_to(root)}")
    if not written:
        click.echo("nothing differs from the files")
    return 0


@command.command()
@as_json
def status(as_json: bool) -> int:
    """Whether it runs, where, and how much memory it takes. Ends with 1 if it does not run."""
    instance = SupersetInstance(home_of(find_root()))
    rows, well = rows_of([instance.service()]), instance.answers()
    if as_json:
        print_json({"url": instance.url, "home": str(instance.home), "answers": well, "processes": rows})
    elif instance.settings is None:
        click.echo(f"there is no Superset in {instance.home}: dayslice superset up makes one")
    else:
        Console().print(table_of(rows))
        click.echo(
            f"{instance.url}, {'which answers' if well else 'which does not answer'}; metadata in {instance.database}"
        )
        click.echo(f"environment: {environment_directory() if made() else 'not made yet'}")
    return 0 if well else 1


@command.command()
@click.option("--lines", default=40, show_default=True, help="How many of the last lines.")
def logs(lines: int) -> None:
    """The end of its log."""
    service = SupersetInstance(home_of(find_root())).service()
    click.secho(str(service.log), bold=True)
    click.echo(service.log_tail(lines))


@command.command()
@as_json
def down(as_json: bool) -> int:
    """Stop Superset. What was made in it stays."""
    instance = SupersetInstance(home_of(find_root()))
    with instance.lock():
        stopped = instance.stop()
    if as_json:
        print_json({"stopped": stopped})
    else:
        click.echo("stopped Superset" if stopped else "Superset did not run")
    return 0


def _start(instance: SupersetInstance, target: str | None, progress: Callable[[str], None]) -> tuple[Project, Deployed]:
    """Start it while the project is read: each takes seconds, and neither needs the other."""
    found: list[Project | BaseException] = []

    def read() -> None:
        try:
            found.append(load_project(target=target))
        except BaseException as error:
            found.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        instance.start(progress)
    finally:
        reading.join()
    project = found[0]
    if isinstance(project, BaseException):
        raise project
    progress("putting datasets, charts and dashboards")
    return project, deploy_dashboards(project, instance)


def _running(instance: SupersetInstance) -> SupersetInstance:
    if not instance.running():
        raise DaysliceError("Superset does not run: start it with dayslice superset up")
    return instance


def _said(deployed: Deployed, project: Project) -> str:
    stand = ", ".join(f"{number} {kind}" for kind, number in deployed.stand.items() if kind != "databases")
    gone = sum(deployed.removed.values())
    how = "nothing changed; " if deployed.unchanged else ""
    return f"{how}for target {project.target.name}: {stand}" + (f"; {gone} taken away" if gone else "")
