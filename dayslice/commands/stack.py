"""`dayslice stack`: the production engine on this machine."""

import shlex
import time
from pathlib import Path

import click
from rich.console import Console

from dayslice.console import print_json
from dayslice.engines.target import home_of
from dayslice.errors import UsageError
from dayslice.services.service_reports import rows_of, steps, table_of


def _stack(  # type: ignore[no-untyped-def]
    heap: str | None = None, workers: int | None = None, retry_policy: str | None = None, **ports: int | None
):
    from dayslice.services.stack.machine import Ports, Stack  # noqa: PLC0415 - boto3 and the rest load only where they are used

    directory = home_of(Path.cwd()) / "stack"
    given = {name: port for name, port in ports.items() if port}
    known = Stack(directory).ports
    return Stack(directory, Ports(**{**vars(known), **given}) if given else None, heap, workers, retry_policy)


@click.group(name="stack")
def command() -> None:
    """Trino, a Hive metastore and an S3 server on this machine, without Docker.

    The target `trino` uses them. Data, logs and pids lie in DAYSLICE_HOME/stack, downloads in the user's cache folder.

    \b
    Examples:
      dayslice stack up
      eval "$(dayslice stack env)"     # this shell's dbt and dayslice now use the target trino
      dayslice stack status
      dayslice stack down
    """


@command.command()
@click.option("--s3-port", type=int, help="Default: 9711.")
@click.option("--database-port", type=int, help="Of the metastore's PostgreSQL. Default: 9712.")
@click.option("--metastore-port", type=int, help="Default: 9713.")
@click.option("--trino-port", type=int, help="Default: 9714.")
@click.option("--heap", help="Memory of Trino's heap, as in 8G; one query may use six tenths of it. Default: 3G.")
@click.option(
    "--workers",
    type=click.IntRange(0),
    metavar="N",
    help="Processes that compute, each with such a heap, beside a coordinator that plans only. Default: 0, all in one.",
)
@click.option(
    "--retry-policy",
    type=click.Choice(["none", "task"]),
    help="With workers: whether a task whose worker is lost is tried again on another one. Default: none.",
)
def up(
    s3_port: int | None,
    database_port: int | None,
    metastore_port: int | None,
    trino_port: int | None,
    heap: str | None,
    workers: int | None,
    retry_policy: str | None,
) -> None:
    """Start what does not run, and wait until all of it answers. The first time, 1.3 GB are downloaded.

    What is said of Trino is remembered; one that runs is started anew when something else is said.

    \b
    Examples:
      dayslice stack up --heap 8G
      dayslice stack up --workers 2 --retry-policy task
      dayslice stack up --workers 0

    Needs Java 24 or newer (Trino), Java 17 to 23 (the metastore), Maven and Go; says which is missing.
    """
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    stack = _stack(
        heap, workers, retry_policy, s3=s3_port, database=database_port, metastore=metastore_port, trino=trino_port
    )
    with steps(console) as progress:
        stack.up(progress)
    console.print(f'up in {time.monotonic() - began:.0f} s. To use it in this shell: eval "$(dayslice stack env)"')


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def status(as_json: bool) -> None:
    """What runs, where, and how much memory it takes. Ends with 1 if something does not run."""
    rows = rows_of(_stack().services())
    if as_json:
        print_json(rows)
    else:
        Console().print(table_of(rows))
    if not all(row["running"] for row in rows):
        click.get_current_context().exit(1)


@command.command()
@click.argument("service", required=False)
@click.option("--lines", default=20, show_default=True, help="How many of the last lines.")
def logs(service: str | None, lines: int) -> None:
    """The end of the logs: of all services, or of one (s3, database, metastore, trino, worker-1 …)."""
    services = {each.directory.name: each for each in _stack().services()}
    if service and service not in services:
        raise UsageError(f"there is no service {service!r}; the stack has {', '.join(services)}")
    for name, each in services.items():
        if service in (None, name):
            click.secho(f"{each.name}: {each.log}", bold=True)
            click.echo(each.log_tail(lines))


@command.command()
def down() -> None:
    """Stop what runs. What was stored stays, and `up` brings it back."""
    _stack().down(click.echo)


@command.command()
def env() -> None:
    """Lines for a shell that point dbt and dayslice at this stack. No secret is in them."""
    for name, value in _stack().environment().items():
        click.echo(f"export {name}={shlex.quote(value)}")
