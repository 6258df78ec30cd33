"""Slices of changed tables made where nobody sees them, compared with what stands, and thrown away."""

from collections.abc import Iterator, Sequence

from dayslice.metastore.batch import begun
from dayslice.rules.calendar import parse_ds
from dayslice.rules.graph import TableNode, find
from dayslice.rules.plan import Plan, make_plan
from dayslice.rules.review import ERROR, NOTE, Finding
from dayslice.rules.run_ids import new_run_id
from dayslice.rules.slices import Version
from dayslice.runner.diff_reports import markdown, total_words
from dayslice.runner.diffs import Asked
from dayslice.runner.project import Project
from dayslice.runner.runs import Outcome, preparations
from dayslice.runner.together import Compared, compared, reading_unstaged, stage


def try_slices(project: Project, models: Sequence[TableNode], slices: Sequence[str]) -> "Trial":
    """Make some ds of models, each of the staged ones before it, seeds and views too, in one process.

    On Trino seeds, views and plain tables are read as they stand: made anew, all would see them. Raises UsageError for
    a ds that is none.
    """
    plans = [make_plan(models, ds, ds, {}, force=True, zone=project.time_zone) for ds in sorted(map(parse_ds, slices))]
    plan = Plan(
        tuple(step for each in plans for step in each.steps),
        reasons={key: reason for each in plans for key, reason in each.reasons.items()},
    )
    if not plan.size:
        return Trial(project, [], [])
    with begun(project.target, new_run_id(), is_trial=True) as batch:
        outcomes = stage(project, plan, batch, 1, lambda outcome: None, is_prepared=not project.target.is_local)
        notes = [] if project.target.is_local else list(_as_they_stand(project, plan))
        return Trial(project, outcomes, compared(project, batch, Asked()), notes)


def _as_they_stand(project: Project, plan: Plan) -> Iterator[Finding]:
    """What a trial on Trino does not see: what is made for all to see, and what macros read past the stages."""
    nodes = {node.unique_id: node for step in plan.steps for node in step.models}
    for unique_id, node in nodes.items():
        if names := sorted(find(project.graph, each)["name"] for each in preparations(project.graph, [unique_id])):
            said = (
                f"read {', '.join(names)} as it stands on {project.target.name}: --build makes no seeds and views there"
            )
            yield Finding(NOTE, node.name, node.path, 1, said)
    for node, macros in reading_unstaged(project, plan):
        yield Finding(NOTE, node.name, node.path, 1, f"{macros} read what is published on Trino, and nothing staged")


class Trial:
    """What became of slices, and how they compare."""

    def __init__(
        self,
        project: Project,
        outcomes: Sequence[Outcome],
        tables: Sequence[Compared],
        notes: Sequence[Finding] = (),
    ):
        self.project, self.outcomes, self.tables, self.notes = project, outcomes, tables, notes

    def findings(self) -> Iterator[Finding]:
        """What could not be made, and what was not seen."""
        yield from self.notes
        for each in self.outcomes:
            if each.failed:
                node = next((n for n in self.project.tables.values() if n.name == each.table), None)
                path = node.path if node else "dbt_project.yml"
                what = f"{each.ds} cannot be built: {' '.join(each.message.split())}"
                yield Finding(ERROR, each.table, path, 1, what)

    def markdown(self) -> str:
        """Sections for a pull request, a table each."""
        parts = []
        for each in self.tables:
            if each.replaced.of:
                parts.append(markdown(each.node.name, each.replaced))
            if each.new:
                heading = [] if each.replaced.of else [f"### {each.node.name}", ""]
                parts.append("\n".join([*heading, *(f"**{_of(version)}" for version in each.new)]))
        return "\n\n".join(parts)

    def document(self) -> dict[str, object]:
        """For `--json`."""
        return {
            each.node.name: {
                "new": [{"ds": version.slice.ds, "rows": version.receipt.rows} for version in each.new],
                "differences": [one.as_json() for one in each.replaced.of],
                "sum": total_words(each.replaced) if each.replaced.of else "",
            }
            for each in self.tables
        }


def _of(version: Version) -> str:
    return f"{version.slice}**: {version.receipt.rows:,} rows; it does not stand yet"
