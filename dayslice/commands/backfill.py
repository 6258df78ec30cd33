"""`dayslice backfill`: make what is missing over (table, ds)."""

import click

from dayslice.commands.options import as_json, exclude, select, target
from dayslice.metastore.choice import open_metastore
from dayslice.rules.calendar import parse_ds
from dayslice.rules.plan import make_plan
from dayslice.rules.snapshots import snapshot_slices
from dayslice.runner.project import load_project
from dayslice.runner.reports import Report, end
from dayslice.runner.runs import run_plan
from dayslice.runner.selection import select_tables


@click.command()
@click.option("--from", "first", required=True, metavar="DS", help="The first slice: 2018-03-01.")
@click.option("--to", "last", required=True, metavar="DS", help="The last slice, included.")
@select
@exclude
@click.option("--force", is_flag=True, help="Compute models again that stand already (imports are left alone).")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@target
@as_json
def command(
    first: str,
    last: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    force: bool,
    dry_run: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Make every missing slice from one ds to another, oldest first.

    What stands already is skipped, so a backfill that was stopped goes on where it was. The project is parsed once.
    A slice that fails stops only what depends on it.

    \b
    Examples:
      dayslice backfill --from 2013-01-01 --to 2013-01-31
      dayslice backfill --from 2013-01-01 --to 2013-01-31 --select flights_flat+
      dayslice backfill --from 2013-01-05 --to 2013-01-05 --select carrier_metrics --force
    """
    first, last = parse_ds(first), parse_ds(last)
    project = load_project(target=target)
    tables = select_tables(project, select, exclude)
    with open_metastore(project.target) as metastore:
        published = {node.table: set(metastore.published_ds(node.table)) for node in tables}
    plan = make_plan(tables, first, last, published, force, snapshot_slices(project.time_zone), project.time_zone)
    lost = [{"table": node.name, "ds": ds} for node, ds in plan.lost]
    if plan.lost and not as_json:
        node, ds = plan.lost[0]
        click.echo(
            f"{len(plan.lost)} slices of cumulative imports are of the past and cannot be taken now "
            f"({node.name} {ds}{', …' if len(plan.lost) > 1 else ''}); "
            "dayslice import --as-of-now takes them as they are now",
            err=True,
        )
    if dry_run:
        for step in [] if as_json else plan.steps:
            click.echo(f"{step.ds}: {', '.join(node.name for node in (*step.imports, *step.models))}")
        return end([], plan.done, as_json, lost=lost, would_make=plan.size)
    with Report(plan.size, as_json) as report:
        outcomes = run_plan(project, plan, report.heard)
    return end(outcomes, plan.done, as_json, lost=lost)
