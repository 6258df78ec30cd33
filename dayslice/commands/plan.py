"""`dayslice plan`: what a backfill would make, and why."""

import click

from dayslice.commands.options import Wanted, as_json, range_options, target
from dayslice.console import print_json
from dayslice.rules.calendar import parse_ds
from dayslice.rules.plan import Plan
from dayslice.runner.plan_reports import SOMETHING_TO_DO, plan_document, show_plan, tell_not_made, tell_stale
from dayslice.runner.planning import plan_range
from dayslice.runner.project import Project, load_project
from dayslice.runner.selection import select_made


@click.command()
@range_options
@target
@as_json
def command(wanted: Wanted, target: str | None, as_json: bool) -> int:
    """Show what a backfill would make, table by ranges of ds, each with its reason. Nothing is made.

    Reasons: missing, forced, downstream of a table that is made. What is not due yet, what cannot be taken any more and
    what would be left stale is said too. Exit codes: 0 nothing to do, 3 something to do.

    \b
    Examples:
      dayslice plan --from 2013-01-01 --to 2013-01-31
      dayslice plan --from 2013-01-05 --to 2013-01-05 --select flights_flat --force --downstream
    """
    project = load_project(target=target)
    plan = planned(project, wanted)
    if as_json:
        print_json(plan_document(project, plan))
    else:
        tell_not_made(project, plan)
        show_plan(project, plan)
        tell_stale(project, plan.left)
    return SOMETHING_TO_DO if plan.size else 0


def planned(project: Project, wanted: Wanted) -> Plan:
    """The plan of what is wanted, as `plan` shows it and `backfill` carries it out."""
    chosen = select_made(project, wanted.select, wanted.exclude)
    plan = plan_range(
        project,
        chosen.tables,
        parse_ds(wanted.first),
        parse_ds(wanted.last),
        force=wanted.force,
        downstream=wanted.downstream,
        open_period=wanted.open_period,
    )
    return plan.followed_by(chosen.followers)
