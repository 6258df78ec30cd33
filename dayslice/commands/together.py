"""What `dayslice backfill --together` says and asks between staging and publishing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from dayslice.commands.options import asked
from dayslice.console import print_json
from dayslice.errors import Refused
from dayslice.metastore.batch import begun
from dayslice.rules.plan import Plan
from dayslice.runner.diff_reports import show, total_words
from dayslice.runner.diffs import Asked
from dayslice.runner.plan_reports import spans, stale_document, tell_stale
from dayslice.runner.planning import left_stale
from dayslice.runner.project import Project
from dayslice.runner.reports import Report, end
from dayslice.runner.runs import PUBLISHED, Outcome
from dayslice.runner.together import Compared, check_together, compared, finish, prepare, publish, stage


@dataclass(frozen=True)
class Together:
    """How such a backfill is run."""

    run: str
    jobs: int
    newest_first: bool
    yes: bool
    as_json: bool


def all_at_once(project: Project, plan: Plan, how: Together) -> int:
    """Stage, compare, ask, publish; the exit code. Raises UsageError before anything is staged that cannot be."""
    check_together(project, plan)
    if plan.blocked:
        raise Refused("nothing was staged, as not all of it could be: see above; make what is missing first")
    if not plan.total:
        return end([], plan.done, how.as_json, run=how.run)
    if how.as_json and not how.yes:
        # A program cannot read a question in the middle of a document.
        asked("Publish it?", "with --json, --yes publishes what is staged")
    with Report(0, how.as_json) as report:
        if failed := prepare(project, plan, report.heard):
            return end(failed, plan.done, how.as_json, run=how.run, published=0)
    with begun(project.target, how.run) as batch:
        with Report(plan.total, how.as_json) as report:
            outcomes = stage(project, plan, batch, how.jobs, report.heard, how.newest_first)
        if any(each.failed for each in outcomes):
            code = end(outcomes, plan.done, how.as_json, run=how.run, published=0)
            _say(how, "nothing was published, as not all of it could be staged")
            return code
        found = compared(project, batch, Asked())
        if not how.as_json:
            for each in found:
                tell_compared(project, each)
        count = sum(len(each.new) + len(each.replaced.of) for each in found)
        if not count:
            code = end(outcomes, plan.done, how.as_json, run=how.run, published=0)
            _say(how, "there is nothing to publish: what stands is what would be made")
            return code
        question = f"Publish {count} slices of {len(found)} tables?"
        if not how.yes and not asked(question, "--yes publishes them without a question"):
            click.echo("nothing was published")
            return 0
        changes = publish(project, batch)
    with Report(plan.total - plan.size, how.as_json) as report:
        after = finish(project, plan, changes, report.heard)
    names = {node.table: node.name for node in project.tables.values()}
    published = [Outcome(names[each.slice.table], each.slice.ds, PUBLISHED) for each in changes]
    stale = left_stale(project, published)
    broken = [each for each in after if each.failed]
    if how.as_json:
        print_json(_document(how, plan, found, [*published, *after], stale_document(project, stale)))
    else:
        click.echo(f"{len(changes)} published at once")
        tell_run(how.run, published)
        tell_stale(project, stale)
    return 1 if stale or broken else 0


def tell_compared(project: Project, each: Compared) -> None:
    """One table: what is replaced, ds by ds, and what is new."""
    click.echo(f"{each.node}:")
    if each.new:
        rows = sum(version.receipt.rows for version in each.new)
        click.echo(f"new: {spans(project, [version.slice.ds for version in each.new])}, {rows:,} rows")
    if each.replaced.of and all(one.is_equal for one in each.replaced.of):
        click.echo(f"{len(each.replaced.of)} slices that stand, all of the same content")
    elif each.replaced.of:
        show(each.replaced)


def tell_run(run: str, outcomes: Sequence[Outcome]) -> None:
    """What a person types to take it back."""
    if any(each.status == PUBLISHED for each in outcomes):
        click.echo(f"to take all of it back: dayslice rollback --run {run}", err=True)


def _document(
    how: Together, plan: Plan, found: Sequence[Compared], outcomes: Sequence[Outcome], stale: list[dict[str, str]]
) -> dict[str, Any]:
    tables = {
        each.node.name: {
            "new": [version.slice.ds for version in each.new],
            "differences": [one.as_json() for one in each.replaced.of],
            "sum": total_words(each.replaced) if each.replaced.of else "",
        }
        for each in found
    }
    slices = [each.as_json() for each in outcomes]
    return {"done_before": plan.done, "run": how.run, "tables": tables, "left_stale": stale, "slices": slices}


def _say(how: Together, sentence: str) -> None:
    if not how.as_json:
        click.echo(sentence, err=True)
