"""`dayslice backfill`: make what is missing over (table, ds)."""

import click

from dayslice.commands.options import Wanted, accept, as_json, opened, range_options, target
from dayslice.commands.plan import planned, shown
from dayslice.commands.together import Together, all_at_once, tell_run
from dayslice.errors import UsageError
from dayslice.rules.run_ids import one_run
from dayslice.runner.jobs import jobs_for, run_jobs
from dayslice.runner.plan_reports import (
    behind_document,
    blocked_document,
    command_for,
    stale_document,
    tell_behind,
    tell_blocked,
    tell_not_made,
    tell_stale,
)
from dayslice.runner.planning import left_behind, left_stale
from dayslice.runner.project import load_project
from dayslice.runner.reports import Report, end
from dayslice.runner.runs import run_plan


@click.command()
@range_options
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; default: 4 on Trino, here one a core.")
@click.option("--newest-first", is_flag=True, help="The newest ds first, as far as slices do not need earlier ones.")
@click.option("--together", is_flag=True, help="Stage all, compare it with what stands, ask, and publish it at once.")
@click.option("--yes", is_flag=True, help="With --together: do not ask.")
@accept
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing: dayslice plan.")
@target
@as_json
def command(
    wanted: Wanted,
    jobs: int | None,
    newest_first: bool,
    together: bool,
    yes: bool,
    accept: str | None,
    dry_run: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Make every missing slice from one ds to another, oldest first.

    What stands already is skipped, so a backfill that was stopped goes on where it was. What stands on a slice that is
    made is made again, within the range and the selection; what is left over is listed with the command for it, and the
    exit code is 1. A slice that fails stops only what depends on it. With --stale, what stands and is not what its
    inputs and its logic give now is made again as well; a slice downstream whose inputs turn out to hold what they held
    is kept as it is.

    With --together nothing is published until all of it is staged and audited: later slices are made of the staged
    earlier ones. Then it is compared with what stands, table by table, and published at once if you say yes. Where one
    slice fails, or you say no, all stays as it was.

    The end says the id of the run: dayslice rollback --run takes back all that it published.

    \b
    Examples:
      dayslice backfill --from 2013-01-01 --to 2013-01-31
      dayslice backfill --from 2013-01-01 --to 2013-01-31 --select flights_flat+
      dayslice backfill --from 2013-01-01 --to 2013-01-31 --stale
      dayslice backfill --from 2013-01-05 --to 2013-01-05 --select carrier_metrics --force --downstream
      dayslice backfill --from 2013-01-01 --to 2013-01-31 --stale --together
    """
    if yes and not together:
        raise UsageError("--yes answers the question of --together: leave it out")
    project = load_project(target=target)
    plan = planned(project, wanted, judged=dry_run)
    if dry_run:
        return shown(project, wanted, plan, as_json)
    blocked = blocked_document(project, plan)
    if not as_json:
        tell_not_made(project, plan)
        tell_blocked(project, plan)
    plan = plan.without_blocked()
    count = jobs_for(project, plan, jobs)
    with opened(wanted.open_period, accept), one_run() as run:
        if together:
            return all_at_once(project, plan, Together(run, count, newest_first, yes, as_json))
        with Report(plan.total, as_json) as report:
            if count == 1 and not newest_first:
                outcomes = run_plan(project, plan, report.heard)
            else:
                outcomes = run_jobs(project, plan, count, report.heard, newest_first)
    stale, behind = left_stale(project, outcomes), left_behind(project, plan, outcomes)
    lost = [{"table": node.name, "ds": ds} for node, ds in plan.lost]
    left = {"left_stale": stale_document(project, stale), "left_behind": behind_document(behind)}
    code = end(outcomes, plan.done, as_json, lost=lost, run=run, blocked=blocked, **left)
    if not as_json:
        tell_run(run, outcomes)
        ids = {node.name: unique_id for unique_id, node in project.tables.items()}
        if failed := [(ids[each.table], each.ds) for each in outcomes if each.failed and each.table in ids]:
            click.echo(f"try those again: {command_for(project, failed, wanted.again())}", err=True)
        tell_stale(project, stale)
        tell_behind(behind, max((each.ds for each in outcomes), default=""))
    return 1 if stale or blocked else code
