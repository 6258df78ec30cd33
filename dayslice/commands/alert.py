"""`dayslice alert`: tells people what is late, missing or refused."""

import sys
from datetime import UTC, datetime

import click

from dayslice.commands.options import exclude, select, target
from dayslice.errors import UsageError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import parse_ds
from dayslice.rules.states import State
from dayslice.runner.alerts import Addresses, addresses, could_not
from dayslice.runner.board import all_problems
from dayslice.runner.causes import Cause, Message, Told, find_causes, message_of
from dayslice.runner.explaining import Explainer
from dayslice.runner.project import load_project
from dayslice.runner.selection import select_tables

# Of what a task said, which may be pages.
_ERROR = 500


@click.command()
@select
@exclude
@click.option("--failed", metavar="DS", help="The run of the one selected table failed; standard input says how.")
@click.option("--dry-run", is_flag=True, help="Print what would be told, now or before; tell nobody.")
@click.option("--test", is_flag=True, help="Tell everybody that this is a test.")
@target
def command(
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    failed: str | None,
    dry_run: bool,
    test: bool,
    target: str | None,
) -> int:
    """Tell whom DAYSLICE_ALERTS names what is late, missing or refused: one message a cause, and each cause once.

    DAYSLICE_ALERTS holds Apprise addresses (mailto://…, slack://…) with blanks between them, or the path of a file
    with one a line. Run it every few minutes; with Airflow, late and failed runs run it. A message begins as dayslice
    why does. It is told again when its slices were there and are not.

    \b
    Examples:
      dayslice alert --test
      dayslice alert --dry-run
      dayslice alert --select flights_flat+
    """
    known = None if dry_run else addresses()
    if test and known:
        return _end(known, known.tell(Message("a test", "This is a test: nothing is late.")), 1)
    project = load_project(target=target)
    tables = select_tables(project, select, exclude)
    now = datetime.now(UTC)
    with open_metastore(project.target) as metastore:
        there = metastore.published_ds_of([node.table for node in tables])
        stands = {node: there[node.table] for node in tables}
        problems = {} if failed else all_problems(project, stands, now)
        causes, explainer = find_causes(project, metastore, stands, problems, now)
        error = ""
        if failed:
            if len(tables) != 1:
                raise UsageError("--failed is of one table: name it by --select")
            causes = [Cause([(tables[0], parse_ds(failed, tables[0].settings.grain))], State.LATE)]
            error = sys.stdin.read().strip().partition("\n")[0][:_ERROR] if sys.stdin else ""
        told = Told(project.target.home)
        if known is None:
            for cause in causes:
                _show(message_of(cause, explainer, error))
            click.echo("" if causes else "nothing is missing, late or refused", nl=not causes)
            return 0
        told.forget_what_is_over(metastore)
        return _tell(known, causes, explainer, told, error)


def _tell(known: Addresses, causes: list[Cause], explainer: Explainer, told: Told, error: str) -> int:
    """Tell what was not told before."""
    unheard: dict[str, None] = {}
    count = 0
    for cause in causes:
        if not told.begin(cause):
            continue
        missed = known.tell(message_of(cause, explainer, error))
        unheard |= dict.fromkeys(missed)
        if len(missed) == len(known):
            told.take_back(cause)
        else:
            count += 1
    return _end(known, list(unheard), count)


def _end(known: Addresses, unheard: list[str], count: int) -> int:
    click.echo(f"told {count} cause{'s' * (count != 1)} to {len(known) - len(unheard)} of {len(known)}")
    if unheard:
        raise could_not(unheard)
    return 0


def _show(message: Message) -> None:
    click.echo(click.style(message.title, bold=True))
    for line in message.body.splitlines():
        click.echo(f"  {line}")
