"""`dayslice rollback`: publish an earlier version of a slice again, or take back all that a run published."""

from collections.abc import Mapping, Sequence

import click

from dayslice.commands.options import as_json, asked, target
from dayslice.console import print_json
from dayslice.errors import UsageError
from dayslice.rules.calendar import parse_ds
from dayslice.rules.stale import Key
from dayslice.runner.plan_reports import spans, stale_document, tell_stale
from dayslice.runner.planning import stale_by
from dayslice.runner.project import Project, load_project
from dayslice.runner.rollback import roll_back
from dayslice.runner.rollback_run import Taken, plan_rollback, roll_back_run


@click.command()
@click.argument("table", required=False)
@click.option("--ds", metavar="DS", help="Which slice.")
@click.option("--to", "wanted", metavar="VERSION", help="Its id or how it begins; default: the one before.")
@click.option("--run", metavar="RUN", help="Take back all that a run published; TABLE: of that table only.")
@click.option("--yes", is_flag=True, help="Do not ask before a run is taken back.")
@target
@as_json
def command(
    table: str | None,
    ds: str | None,
    wanted: str | None,
    run: str | None,
    yes: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Make an earlier version of a slice the published one again: one call, nothing is computed.

    Readers see one version or the other. Nothing downstream is recomputed: what stands on the other version is listed,
    with the command that makes it again.

    With --run, all that one command published is taken back at once: what stood before stands again, and what was not
    there before goes. Slices that were replaced since are named and left. dayslice versions and history show the run
    of each version, and backfill says its own at its end.

    \b
    Examples:
      dayslice rollback flights_flat --ds 2013-01-05
      dayslice rollback flights_flat --ds 2013-01-05 --to v20261123
      dayslice rollback --run r20261126T021500_3fa9
    """
    project = load_project(target=target)
    if run is not None:
        if ds or wanted:
            raise UsageError("--run takes back all slices of a run: leave --ds and --to out")
        return _whole_run(project, table, run, yes, as_json)
    if table is None or ds is None:
        raise UsageError("say what to take back: TABLE --ds DS, or --run RUN")
    node = project.find(table)
    before, now = roll_back(project, node, parse_ds(ds, node.settings.grain), wanted)
    stale = stale_by(project, [(node.unique_id, now.slice.ds)])
    if as_json:
        document = {"table": node.name, "ds": now.slice.ds, "before": before.id if before else None, "now": now.id}
        print_json({**document, "left_stale": stale_document(project, stale)})
        return 0
    was = f" (was {before.id}, {before.receipt.rows:,} rows)" if before else ""
    click.echo(f"{node} {now.slice.ds}: published {now.id}, {now.receipt.rows:,} rows{was}")
    tell_stale(project, stale)
    return 0


def _whole_run(project: Project, table: str | None, run: str, yes: bool, as_json: bool) -> int:
    tables = [project.find(table)] if table else list(project.tables.values())
    taken = plan_rollback(project, tables, run)
    if not as_json:
        _tell(project, taken)
    if not taken.changes:
        if as_json:
            print_json(document_of(taken))
        return 0
    question = f"{len(taken.changes)} slices of {taken.run} are taken back. Go on?"
    if not yes and not asked(question, "--yes goes on without a question"):
        click.echo("nothing was done")
        return 0
    roll_back_run(project, taken)
    stale = _left_stale(project, taken)
    if as_json:
        print_json({**document_of(taken), "left_stale": stale_document(project, stale)})
    else:
        click.echo(f"{taken.run}: {len(taken.back)} slices are as they were, {len(taken.gone)} gone")
        tell_stale(project, stale)
    return 0


def _left_stale(project: Project, taken: Taken) -> Mapping[Key, Key]:
    ids = {node.table: unique_id for unique_id, node in project.tables.items()}
    return stale_by(project, [(ids[each.slice.table], each.slice.ds) for each in taken.changes])


def document_of(taken: Taken) -> dict[str, object]:
    """For `--json`."""
    return {
        "run": taken.run,
        "back": [
            {"table": str(each.slice.table), "ds": each.slice.ds, "now": each.version.id if each.version else None}
            for each in taken.back
        ],
        "gone": [{"table": str(each.slice.table), "ds": each.slice.ds} for each in taken.gone],
        "left": [{"table": str(each.slice.table), "ds": each.slice.ds} for each in taken.left],
    }


def _tell(project: Project, taken: Taken) -> None:
    lists: Sequence[tuple[str, list[object]]] = (
        ("back to what stood before", [each.slice for each in taken.back]),
        ("goes, as nothing stood before", [each.slice for each in taken.gone]),
        ("stays, as it was replaced since", [each.slice for each in taken.left]),
    )
    for what, slices in lists:
        for node in project.tables.values():
            if mine := [each.ds for each in slices if each.table == node.table]:  # type: ignore[attr-defined]
                click.echo(f"{node}: {spans(project, mine)}: {what}")
