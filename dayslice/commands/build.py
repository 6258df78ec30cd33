"""`dayslice build`: compute one slice of each model."""

import click

from dayslice.commands.options import accept, as_json, exclude, open_period, opened, select, target
from dayslice.rules.calendar import parse_ds
from dayslice.rules.plan import make_plan
from dayslice.rules.run_ids import one_run
from dayslice.runner.plan_reports import behind_document, stale_document, tell_behind, tell_stale
from dayslice.runner.planning import left_behind, left_stale
from dayslice.runner.project import load_project
from dayslice.runner.reports import Report, end
from dayslice.runner.runs import run_plan
from dayslice.runner.selection import select_made


@click.command()
@click.option("--ds", required=True, envvar="DAYSLICE_DS", metavar="DS", help="The slice: 2018-03-01.")
@select
@exclude
@open_period
@accept
@target
@as_json
def command(
    ds: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    open_period: bool,
    accept: str | None,
    target: str | None,
    as_json: bool,
) -> int:
    """Compute the models of one ds: stage, audit, publish; what stands is replaced. Then what follows them.

    A slice that waits for something that is not published is refused, and says for what. What stands on the old slice
    is listed, with the command that makes it again, and the exit code is 1, as with backfill. Of a day, tables of a
    finer grain are built for all of its hours. For unit tests and the like, use dbt itself: dbt build --vars 'ds: …'.

    \b
    Examples:
      dayslice build --ds 2013-01-05
      dayslice build --ds 2013-01-05 --select flights_flat+
    """
    ds = parse_ds(ds)
    project = load_project(target=target)
    chosen = select_made(project, select, exclude)
    models = [node for node in chosen.tables if not node.is_import]
    plan = make_plan(models, ds, ds, {}, force=True, zone=project.time_zone).followed_by(chosen.followers, ds)
    with one_run(), opened(open_period, accept), Report(plan.total, as_json) as report:
        outcomes = run_plan(project, plan, report.heard)
    stale, behind = left_stale(project, outcomes), left_behind(project, plan, outcomes)
    code = end(outcomes, 0, as_json, left_stale=stale_document(project, stale), left_behind=behind_document(behind))
    if not as_json:
        tell_stale(project, stale)
        tell_behind(behind, ds)
    return 1 if stale else code
