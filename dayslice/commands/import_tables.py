"""`dayslice import`: land one slice of PostgreSQL tables."""

import os
from typing import TYPE_CHECKING

import click

from dayslice.commands.options import as_json, open_period, opened, target
from dayslice.errors import UsageError
from dayslice.rules.calendar import parse_ds
from dayslice.rules.graph import TableNode
from dayslice.runner.import_reports import ImportReport, show_plan
from dayslice.runner.plan_reports import stale_document, tell_stale
from dayslice.runner.planning import left_stale
from dayslice.runner.project import Project, load_project
from dayslice.runner.reports import end
from dayslice.runner.runs import Outcome, outcome_of_import

if TYPE_CHECKING:
    from dayslice.runner.imports import ImportResult


@click.command()
@click.argument("tables", nargs=-1)
@click.option("--ds", required=True, envvar="DAYSLICE_DS", metavar="DS", help="The slice: 2018-03-01.")
@click.option("--all", "every", is_flag=True, help="All imports of the project.")
@click.option("--as-of-now", is_flag=True, help="Take cumulative tables as they are now, for a ds that is past.")
@click.option("--accept", is_flag=True, help="Accept that columns of the source are gone or have another type.")
@click.option(
    "--allow-empty", is_flag=True, help="Publish a slice of no rows, though the source has no later ones yet."
)
@click.option("--show-values", is_flag=True, help="Let errors quote values of the source's rows.")
@open_period
@click.option("--dry-run", is_flag=True, help="Show what would be read and written; write nothing.")
@target
@as_json
def command(
    tables: tuple[str, ...],
    ds: str,
    every: bool,
    as_of_now: bool,
    accept: bool,
    allow_empty: bool,
    show_values: bool,
    open_period: bool,
    dry_run: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Import one slice of tables: COPY, land as files, count, publish.

    Tables of one connection are read in one snapshot. One that fails does not stop the others.
    What stands on a slice that was replaced by another content is listed, with the command that makes it again.

    \b
    Examples:
      dayslice import erp.flights --ds 2013-01-05
      dayslice import --all --ds 2013-01-05 --as-of-now
      dayslice import --all --ds 2013-01-05 --dry-run
    """
    if show_values:
        from dayslice_importers.source_errors import SHOW_VALUES  # noqa: PLC0415

        os.environ[SHOW_VALUES] = "1"
    ds = parse_ds(ds)
    if bool(tables) == every:
        raise UsageError("say which tables to import, as in erp.flights, or --all")
    project = load_project(target=target)
    nodes = chosen(project, tables, ds)
    with opened(open_period):
        return run(project, nodes, ds, as_of_now, accept, allow_empty, dry_run, as_json)


def run(
    project: Project,
    nodes: list[TableNode],
    ds: str,
    as_of_now: bool,
    accept: bool,
    allow_empty: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Import, or show what would be imported; the exit code."""
    from dayslice.runner.imports import import_tables, plan_imports  # noqa: PLC0415 - psycopg2, only when something is imported

    if dry_run:
        planned, refused = plan_imports(project, nodes, ds, as_of_now=as_of_now, accept=accept)
        return show_plan(planned, refused, as_json)
    outcomes: list[Outcome] = []
    with ImportReport(len(nodes), as_json) as report:

        def heard(result: "ImportResult") -> None:
            outcomes.append(outcome_of_import(result))
            report.ended(result, outcomes[-1])

        import_tables(
            project,
            nodes,
            ds,
            as_of_now=as_of_now,
            accept=accept,
            allow_empty=allow_empty,
            progress=heard,
            watch=report.watched,
        )
    stale = left_stale(project, outcomes)
    code = end(outcomes, 0, as_json, left_stale=stale_document(project, stale))
    if not as_json:
        tell_stale(project, stale)
    return code


def chosen(project: Project, tables: tuple[str, ...], ds: str) -> list[TableNode]:
    """The imports of these names, each once; all where there are none."""
    nodes = list(dict.fromkeys(project.find(name) for name in tables)) or project.imports
    for node in nodes:
        if not node.is_import:
            raise UsageError(f"{node} is a model, not an import: dayslice build --ds {ds} --select {node}")
    return nodes
