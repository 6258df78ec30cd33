"""How a plan and what it leaves are shown: ranges of ds a table, with the reason, and the command that goes on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import click

from dayslice.rules.followers import Follower
from dayslice.rules.plan import FORCED, MISSING, Plan, ranges
from dayslice.rules.stale import Key
from dayslice.runner.project import Project

SOMETHING_TO_DO = 3


def plan_document(project: Project, plan: Plan) -> dict[str, Any]:
    """A plan for `--json`: every slice with its reason."""
    return {
        "done_before": plan.done,
        "would_make": plan.size,
        "slices": [
            {"table": node.name, "ds": step.ds, "reason": plan.reasons[node.unique_id, step.ds]}
            for step in plan.steps
            for node in (*step.imports, *step.models)
        ],
        "lost": [{"table": node.name, "ds": ds} for node, ds in plan.lost],
        "not_due": [{"table": node.name, "ds": ds} for node, ds in plan.early],
        "left_stale": stale_document(project, plan.left),
        "followers": [each.name for each in plan.followers],
    }


def stale_document(project: Project, stale: Mapping[Key, Key]) -> list[dict[str, str]]:
    """Stale slices for `--json`, each with the newer one that it reads."""
    return [
        {"table": project.tables[table].name, "ds": ds, "reads": f"{project.tables[cause[0]].name} {cause[1]}"}
        for (table, ds), cause in stale.items()
    ]


def behind_document(behind: Iterable[Follower]) -> list[str]:
    """Followers that were left behind, for `--json`."""
    return [each.name for each in behind]


def show_plan(project: Project, plan: Plan) -> None:
    """A line a table and reason, with the ranges of ds."""
    for unique_id, node in project.tables.items():
        mine = {ds: reason for (table, ds), reason in plan.reasons.items() if table == unique_id}
        # Slices downstream of many others have as many reasons, of one kind.
        for kind in (MISSING, FORCED, "downstream"):
            slices = [ds for ds, reason in mine.items() if reason.startswith(kind)]
            of = sorted({mine[ds].removeprefix("downstream of ").partition(" ")[0] for ds in slices})
            reason = f"downstream of {', '.join(of)}" if kind == "downstream" else kind
            if slices:
                click.echo(f"{node.name}: {spans(project, slices)}: {reason}")
    for each in plan.followers:
        read = ", ".join(project.tables[table].name for table in each.reads)
        click.echo(f"{each.name}: {'with each ds' if each.is_of_each_ds else 'at the end'}: a {each.kind} of {read}")
    told = [f"{plan.size} to make"]
    told += [f"{plan.done} there already"] if plan.done else []
    click.echo(", ".join(told))


def tell_not_made(project: Project, plan: Plan) -> None:
    """On standard error: what cannot be made, or not yet."""
    if plan.lost:
        node, ds = plan.lost[0]
        click.echo(
            f"{len(plan.lost)} slices of cumulative imports are of the past and cannot be taken now "
            f"({node.name} {ds}{', …' if len(plan.lost) > 1 else ''}); "
            "dayslice import --as-of-now takes them as they are now",
            err=True,
        )
    if plan.early:
        node, ds = plan.early[0]
        click.echo(
            f"{len(plan.early)} slices are not due, as their period is not over ({node.name} {ds}"
            f"{', …' if len(plan.early) > 1 else ''}); --open-period makes them all the same",
            err=True,
        )


def tell_stale(project: Project, stale: Mapping[Key, Key]) -> None:
    """On standard error: what stands on older slices than there are now, and the command that makes it again."""
    if not stale:
        return
    click.echo(f"{len(stale)} slices stand on older ones than there are now:", err=True)
    for unique_id, node in project.tables.items():
        mine = {ds: cause for (table, ds), cause in stale.items() if table == unique_id}
        if mine:
            of = sorted({project.tables[table].name for table, _ in mine.values()})
            click.echo(f"  {node.name}: {spans(project, mine)}: reads {', '.join(of)}", err=True)
    click.echo(f"make them again: {command_for(project, stale, force=True)}", err=True)


def tell_behind(behind: Sequence[Follower], ds: str) -> None:
    """On standard error: models that read what was made and do not hold it yet, and the command that makes them."""
    if behind:
        names = " ".join(each.name for each in behind)
        click.echo(f"not made from it: {', '.join(f'{each.name} ({each.kind})' for each in behind)}", err=True)
        click.echo(f"make them: dayslice build --ds {ds} --select {names}", err=True)


def command_for(project: Project, slices: Iterable[Key], force: bool = False) -> str:
    """The one backfill that makes these slices."""
    tables, values = {table for table, _ in slices}, sorted(ds for _, ds in slices)
    names = [node.name for unique_id, node in project.tables.items() if unique_id in tables]
    if len({len(ds) for ds in values}) > 1:  # of several grains: whole days hold them all
        values = [ds[:10] for ds in values]
    again = " --force" if force else ""
    return f"dayslice backfill --from {values[0]} --to {values[-1]} --select {' '.join(names)}{again}"


def spans(project: Project, slices: Collection[str]) -> str:
    """`2013-01-01 to 2013-01-05 (5), 2013-01-09`."""
    runs = ranges(slices, project.time_zone)
    return ", ".join(first if count == 1 else f"{first} to {last} ({count})" for first, last, count in runs)
