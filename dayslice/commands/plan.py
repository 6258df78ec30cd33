"""`dayslice plan`: what a backfill would make, and why."""

import click

from dayslice.commands.options import as_json, exclude, open_period, select, target
from dayslice.console import print_json
from dayslice.rules.calendar import parse_ds
from dayslice.rules.plan import Plan
from dayslice.runner.plan_reports import SOMETHING_TO_DO, plan_document, show_plan, tell_not_made, tell_stale
from dayslice.runner.planning import plan_range
from dayslice.runner.project import Project, load_project
from dayslice.runner.selection import select_tables


@click.command()
@click.option("--from", "first", required=True, metavar="DS", help="The first slice: 2018-03-01.")
@click.option("--to", "last", required=True, metavar="DS", help="The last slice, included.")
@select
@exclude
@click.option("--force", is_flag=True, help="As if models that stand already were computed again.")
@click.option("--downstream", is_flag=True, help="With all that stands on what is made, outside the range too.")
@open_period
@target
@as_json
def command(
    first: str,
    last: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    force: bool,
    downstream: bool,
    open_period: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Show what a backfill would make, table by ranges of ds, each with its reason. Nothing is made.

    Reasons: missing, forced, downstream of a table that is made. What is not due yet, what cannot be taken any more and
    what would be left stale is said too. Exit codes: 0 nothing to do, 3 something to do.

    \b
    Examples:
      dayslice plan --from 2013-01-01 --to 2013-01-31
      dayslice plan --from 2013-01-05 --to 2013-01-05 --select flights_flat --force --downstream
    """
    project = load_project(target=target)
    plan = planned(project, first, last, select, exclude, force, downstream, open_period)
    if as_json:
        print_json(plan_document(project, plan))
    else:
        tell_not_made(project, plan)
        show_plan(project, plan)
        tell_stale(project, plan.left)
    return SOMETHING_TO_DO if plan.size else 0


def planned(
    project: Project,
    first: str,
    last: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    force: bool,
    downstream: bool,
    open_period: bool,
) -> Plan:
    """The plan of the options that `plan` and `backfill` share."""
    first, last = parse_ds(first), parse_ds(last)
    tables = select_tables(project, select, exclude)
    return plan_range(project, tables, first, last, force=force, downstream=downstream, open_period=open_period)
