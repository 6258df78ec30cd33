"""`dayslice check`: whether the project can be deployed, and what a change of it does."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict

import click

from dayslice.commands.options import Words, as_json, select, target
from dayslice.commands.together import tell_compared
from dayslice.console import print_json
from dayslice.orchestration.deployment import check
from dayslice.rules.graph import TableNode
from dayslice.rules.persons import undeclared
from dayslice.rules.review import ERROR, Finding, Tree, changes, consistency, review
from dayslice.runner.audits import check_audits
from dayslice.runner.dashboards import check_files
from dayslice.runner.new_tables import check_placeholders
from dayslice.runner.project import Project, find_root
from dayslice.runner.reviews import costs, project_of, tree_of
from dayslice.runner.selection import select_tables
from dayslice.runner.trial import try_slices


@click.command()
@select
@click.option("--against", "revision", metavar="REF", help="What is other than in this Git revision: origin/main.")
@click.option(
    "--build", cls=Words, multiple=True, metavar="DS…", help="Make these ds of the tables, where nobody sees them."
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the findings as Markdown, for a pull request.")
@target
@as_json
def command(
    select: tuple[str, ...],
    revision: str | None,
    build: tuple[str, ...],
    as_markdown: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Parse the project, compile its audits, make its DAGs in memory, and hold its dashboards to its tables. Nothing is
    written, no service is asked.

    With --against a Git revision, only tables that are other than there are looked at: by their logic and settings, not
    by their files. Each finding has file, line, and what to do: waits added and removed, columns and types that readers
    lose, a table that waits for one that comes less often, slices that go before they are read, and the past ds that
    stand on the logic of before, with what it takes to make them again (as far as the metastore can be asked).

    With --build, some ds of the models that are looked at are staged and audited, each made of the staged ones before
    it, and compared with what stands, as dayslice diff does; then they are thrown away. Nothing is published. On Trino,
    seeds and views are read as they stand, which a note says.

    What is wrong is named with file and line, and the exit code is 2. Run it in CI before a merge.

    \b
    Examples:
      dayslice check
      dayslice check --target trino
      dayslice check --against origin/main --markdown
      dayslice check --against origin/main --build 2024-01-05 2024-01-06 --markdown
    """
    root = find_root()
    check_placeholders(root)
    before = tree_of(project_of(root, revision, target)) if revision else None
    project, tables = check(root, target, lambda project: _looked_at(project, before, select))
    chosen = _looked_at(project, before, select)
    check_audits(project, chosen)
    files = check_files(project)
    warn_of_on(project)
    found = list(dict.fromkeys(_findings(project, before, chosen)))
    trial = None
    if build and not any(each.level == ERROR for each in found):
        models = [node for node in project.models if chosen is None or node.unique_id in chosen]
        trial = try_slices(project, models, [ds for each in build for ds in each.split()])
        found += trial.findings()
    is_wrong = any(each.level == ERROR for each in found)
    if as_json:
        tables_said = [each.dag_id for each in tables]
        print_json(
            {
                "target": project.target.name,
                "tables": tables_said,
                "dashboards": list(files.dashboards),
                "findings": [asdict(each) for each in found],
                **({"built": trial.document()} if trial else {}),
            }
        )
        return 2 if is_wrong else 0
    if as_markdown:
        click.echo(markdown(found, revision))
        if trial and trial.tables:
            click.echo(f"\n{trial.markdown()}")
        return 2 if is_wrong else 0
    for each in found:
        click.echo(str(each), err=each.level == ERROR)
    for each_table in trial.tables if trial else ():
        tell_compared(project, each_table)
    boards = f"{len(files.dashboards)} dashboard{'s'[: len(files.dashboards) != 1]}"
    kinds = Counter("import" if each.is_import else "model" for each in tables)
    waits = sum(len(each.waits) for each in tables)
    verdict = "something is wrong" if is_wrong else "all of them can be deployed"
    click.echo(
        f"{len(tables)} tables for target {project.target.name}: {kinds['import']} imports, {kinds['model']} models, "
        f"{waits} waits, {boards}; {verdict}"
    )
    return 2 if is_wrong else 0


def markdown(found: Sequence[Finding], revision: str | None) -> str:
    """The findings as a section of a pull request, what is wrong first."""
    heading = f"### Tables that are other than in `{revision}`" if revision else "### Tables"
    lines = [heading, ""]
    if not found:
        return "\n".join([*lines, "None."])
    lines += ["| | table | where | what | what to do |", "|---|---|---|---|---|"]
    order = sorted(found, key=lambda each: ("error", "warning", "note").index(each.level))
    cells = [(e.level, e.table, f"`{e.file}:{e.line}`", e.what, e.mend) for e in order]
    return "\n".join([*lines, *("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in cells)])


def warn_of_on(project: Project) -> None:
    """Say where a bare `on` costs a whole parse at each start."""
    for node in unquoted_on(project):
        click.echo(
            f'{node.yaml}: {node}: write "on" in quotes: a bare one is YAML\'s word for true, which dbt '
            "cannot keep between runs, so that it parses the whole project again at each start",
            err=True,
        )


def unquoted_on(project: Project) -> list[TableNode]:
    """Imports whose `on:` came through YAML as the boolean true."""
    metas = {unique_id: source["config"]["meta"] for unique_id, source in project.graph["sources"].items()}
    return [node for node in project.imports if True in metas[node.unique_id] or "True" in metas[node.unique_id]]


def _looked_at(project: Project, before: Tree | None, select: Sequence[str]) -> Collection[str] | None:
    """The tables (unique_ids) that a check is about; None for all."""
    selected = {node.unique_id for node in select_tables(project, select)} if select else None
    if before is None:
        return selected
    changed = set(changes(before, tree_of(project)))
    return changed if selected is None else changed & selected


def _findings(project: Project, before: Tree | None, chosen: Collection[str] | None) -> Iterable[Finding]:
    after = tree_of(project)
    for unique_id in [each for each in (after.tables if chosen is None else chosen) if each in after.tables]:
        yield from undeclared(project.graph, after, unique_id)
    if before is None:
        for unique_id in after.tables if chosen is None else chosen:
            yield from consistency(after, unique_id)
        return
    other = changes(before, after)
    gone = {unique_id for unique_id in other if unique_id not in after.tables}
    names = {(after.tables.get(each) or before.tables[each]).name for each in {*(chosen or ()), *gone}}
    readers = {node.name for node in after.tables.values() if {w.upstream for w in node.waits} & set(chosen or ())}
    for each in review(before, after):
        if each.table in names or each.table in readers:
            yield each
    nodes = [after.tables[u] for u, what in other.items() if "logic" in what and u in (chosen or ())]
    yield from costs(project, nodes)
