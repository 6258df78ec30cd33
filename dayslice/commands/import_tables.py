"""`dayslice import`: land one slice of PostgreSQL tables."""

import click

from dayslice.calendar import parse_ds
from dayslice.commands.options import as_json, target
from dayslice.errors import UsageError
from dayslice.project import load_project
from dayslice.reports import Report, end
from dayslice.runs import Outcome, outcome_of_import


@click.command()
@click.argument("tables", nargs=-1)
@click.option("--ds", required=True, envvar="DAYSLICE_DS", metavar="DS", help="The slice: 2018-03-01.")
@click.option("--all", "every", is_flag=True, help="All imports of the project.")
@click.option("--as-of-now", is_flag=True, help="Take cumulative tables as they are now, for a ds that is past.")
@click.option("--accept", is_flag=True, help="Accept that columns of the source are gone or have another type.")
@target
@as_json
def command(
    tables: tuple[str, ...],
    ds: str,
    every: bool,
    as_of_now: bool,
    accept: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Import one slice of tables: COPY, land as files, count, publish.

    Tables of one connection are read in one snapshot. One that fails does not stop the others.

    \b
    Examples:
      dayslice import erp.flights --ds 2013-01-05
      dayslice import --all --ds 2013-01-05 --as-of-now
    """
    from importers.run import ImportResult, import_tables  # noqa: PLC0415 - psycopg2, only when something is imported

    ds = parse_ds(ds)
    if bool(tables) == every:
        raise UsageError("say which tables to import, as in erp.flights, or --all")
    project = load_project(target=target)
    nodes = project.imports if every else [project.find(name) for name in tables]
    for node in nodes:
        if not node.is_import:
            raise UsageError(f"{node} is a model, not an import: dayslice build --ds {ds} --select {node}")
    outcomes: list[Outcome] = []
    with Report(len(nodes), as_json) as report:

        def heard(result: ImportResult) -> None:
            outcomes.append(outcome_of_import(result))
            report.heard(outcomes[-1])

        import_tables(project, nodes, ds, as_of_now=as_of_now, accept=accept, progress=heard)
    return end(outcomes, 0, as_json)
