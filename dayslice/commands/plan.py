"""`dayslice plan`: what a backfill would make, and why."""

import click

from dayslice.commands.options import Wanted, as_json, range_options, target
from dayslice.console import print_json
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import parse_ds
from dayslice.rules.plan import Plan
from dayslice.runner.followers import in_range, old_followers
from dayslice.runner.judging import costs
from dayslice.runner.plan_reports import (
    SOMETHING_TO_DO,
    plan_document,
    show_plan,
    tell_blocked,
    tell_not_made,
    tell_stale,
    tell_standing,
)
from dayslice.runner.planning import plan_range
from dayslice.runner.project import Project, load_project
from dayslice.runner.selection import select_made


@click.command()
@range_options
@target
@as_json
def command(wanted: Wanted, target: str | None, as_json: bool) -> int:
    """Show what a backfill would make, table by ranges of ds, each with its reason. Nothing is made.

    Reasons: missing; with --stale input newer, logic changed, audits changed; with --force forced; downstream of a
    table that is made. What is not due yet, what cannot be taken any more, what stands stale and what would be left so
    is said too, and what it all takes by past receipts. Exit codes: 0 nothing to do, 3 something to do.

    \b
    Examples:
      dayslice plan --from 2013-01-01 --to 2013-01-31
      dayslice plan --from 2013-01-01 --to 2013-01-31 --stale
      dayslice plan --from 2013-01-05 --to 2013-01-05 --select flights_flat --force --downstream
    """
    project = load_project(target=target)
    return shown(project, wanted, planned(project, wanted, judged=True), as_json)


def shown(project: Project, wanted: Wanted, plan: Plan, as_json: bool) -> int:
    """Show a plan, with what it takes; the exit code."""
    with open_metastore(project.target) as metastore:
        taken = costs(metastore, [project.tables[table] for table in dict.fromkeys(table for table, _ in plan.reasons)])
    if as_json:
        print_json(plan_document(project, plan, taken))
    else:
        tell_not_made(project, plan)
        show_plan(project, plan, taken)
        tell_blocked(project, plan)
        tell_standing(project, plan, f"dayslice backfill {wanted.as_text()} --stale")
        tell_stale(project, plan.left)
    return SOMETHING_TO_DO if plan.total else 0


def planned(project: Project, wanted: Wanted, judged: bool = False) -> Plan:
    """The plan of what is wanted, as `plan` shows it and `backfill` carries it out. `judged`: what is stale is said."""
    chosen = select_made(project, wanted.select, wanted.exclude)
    first, last = parse_ds(wanted.first), parse_ds(wanted.last)
    plan = plan_range(
        project,
        chosen.tables,
        first,
        last,
        force=wanted.force,
        downstream=wanted.downstream,
        open_period=wanted.open_period,
        stale=wanted.stale,
        judged=judged,
    )
    old = in_range(old_followers(project, chosen.followers), first, last)
    return plan.followed_by(chosen.followers, old=old)
