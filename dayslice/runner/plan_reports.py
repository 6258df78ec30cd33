"""How a plan and what it leaves are shown: ranges of ds a table, with the reason, and the command that goes on."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from dayslice.rules.followers import Follower
from dayslice.rules.graph import TableNode
from dayslice.rules.moments import duration, size
from dayslice.rules.plan import Plan, ranges
from dayslice.rules.reasons import DOWNSTREAM, INPUT_NEWER, KINDS, kind_of
from dayslice.rules.stale import Key
from dayslice.runner.judging import Cost
from dayslice.runner.project import Project

SOMETHING_TO_DO = 3
T = TypeVar("T")


def plan_document(project: Project, plan: Plan, costs: Mapping[str, Cost] | None = None) -> dict[str, Any]:
    """A plan for `--json`: every slice with its reason, and what a slice of each table takes, where that is known."""
    total = total_cost(plan, costs or {})
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
        "blocked": blocked_document(project, plan),
        "left_stale": stale_document(project, plan.left),
        "stale": [
            {"table": project.tables[table].name, "ds": ds, "reason": reason}
            for (table, ds), reason in plan.stale.items()
        ],
        "cost": {"seconds": round(total.seconds, 3), "rows": total.rows, "bytes": total.bytes, "unknown": total.of},
        "cost_of_a_slice": {
            project.tables[table].name: {"seconds": round(each.seconds, 3), "rows": each.rows, "bytes": each.bytes}
            for table, each in (costs or {}).items()
        },
        "followers": [each.name for each in plan.followers],
    }


def blocked_document(project: Project, plan: Plan) -> list[dict[str, str]]:
    """Slices that cannot be made, for `--json`, each with what it waits for."""
    return [
        {"table": project.tables[table].name, "ds": ds, "reason": reason}
        for (table, ds), reason in plan.blocked.items()
    ]


def stale_document(project: Project, stale: Mapping[Key, Key]) -> list[dict[str, str]]:
    """Stale slices for `--json`, each with the newer one that it reads."""
    return [
        {"table": project.tables[table].name, "ds": ds, "reads": f"{project.tables[cause[0]].name} {cause[1]}"}
        for (table, ds), cause in stale.items()
    ]


def behind_document(behind: Iterable[Follower]) -> list[str]:
    """Followers that were left behind, for `--json`."""
    return [each.name for each in behind]


def total_cost(plan: Plan, costs: Mapping[str, Cost]) -> Cost:
    """What all slices of a plan take together. `of`: how many of them are of tables without a receipt to go by."""
    made = [costs.get(table) for table, _ in plan.reasons]
    known = [each for each in made if each is not None]
    return Cost(
        sum(each.seconds for each in known),
        sum(each.rows for each in known),
        sum(each.bytes for each in known),
        len(made) - len(known),
    )


def cost_text(cost: Cost) -> str:
    """`about 12 s, 4,000 rows, 1.2 MB`."""
    return f"about {duration(cost.seconds)}, {cost.rows:,} rows, {size(cost.bytes)}"


def show_plan(project: Project, plan: Plan, costs: Mapping[str, Cost] | None = None) -> None:
    """A line a table and reason, with the ranges of ds; and what it takes, by what it took."""
    costs = costs or {}
    for line in reason_lines(project, plan.reasons):
        click.echo(line)
    for each in plan.followers:
        read = ", ".join(project.tables[table].name for table in each.reads)
        click.echo(f"{each.name}: {'with each ds' if each.is_of_each_ds else 'at the end'}: a {each.kind} of {read}")
    told = [f"{plan.size} to make"]
    held = sum(key in plan.reasons for key in plan.blocked)
    told += [f"{held} of them blocked"] if held else []
    told += [f"{plan.done} there already"] if plan.done else []
    click.echo(", ".join(told))
    total = total_cost(plan, costs)
    if plan.size > total.of:
        unknown = f"; {total.of} of them are of tables that were never made" if total.of else ""
        click.echo(f"by past receipts: {cost_text(total)}{unknown}")


def reason_lines(project: Project, reasons: Mapping[Key, str]) -> list[str]:
    """`total: 2013-01-02 to 2013-01-05 (4): downstream of orders`: a line a table and kind of reason."""
    lines = []
    for node, mine in _by_table(project, reasons):
        kinds = {ds: kind_of(reason) for ds, reason in mine.items()}
        for kind in KINDS:
            slices = [ds for ds, of in kinds.items() if of == kind]
            if slices:
                lines.append(f"{node.name}: {spans(project, slices)}: {_of_all(kind, [mine[ds] for ds in slices])}")
    return lines


def _by_table(project: Project, told: Mapping[Key, T]) -> Iterator[tuple[TableNode, dict[str, T]]]:
    """What is told of slices, by ds, of each table that has some; upstream first."""
    found: dict[str, dict[str, T]] = {}
    for (unique_id, ds), what in told.items():
        found.setdefault(unique_id, {})[ds] = what
    yield from ((node, found[unique_id]) for unique_id, node in project.tables.items() if unique_id in found)


def _of_all(kind: str, reasons: Collection[str]) -> str:
    """Reasons of one kind in one: slices downstream of many others have as many."""
    if kind == INPUT_NEWER and len(reasons) == 1:
        return next(iter(reasons))
    before = {INPUT_NEWER: f"{INPUT_NEWER}: ", DOWNSTREAM.strip(): DOWNSTREAM}.get(kind)
    if before is None:
        return kind
    return before + ", ".join(sorted({each.removeprefix(before).partition(" ")[0] for each in reasons}))


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


def tell_blocked(project: Project, plan: Plan) -> None:
    """On standard error: slices that cannot be made, as what they wait for is neither there nor made."""
    if not plan.blocked:
        return
    click.echo(f"{len(plan.blocked)} slices wait for what neither stands nor is made, and are not tried:", err=True)
    for node, mine in _by_table(project, plan.blocked):
        for ds, reason in list(mine.items())[:1]:
            more = f", … ({len(mine)} slices)" if len(mine) > 1 else ""
            click.echo(f"  {node.name} {ds}: {reason}{more}", err=True)


def tell_stale(project: Project, stale: Mapping[Key, Key]) -> None:
    """On standard error: what stands on older slices than there are now, and the command that makes it again."""
    if not stale:
        return
    click.echo(f"{len(stale)} slices stand on older ones than there are now:", err=True)
    for node, mine in _by_table(project, stale):
        of = sorted({project.tables[table].name for table, _ in mine.values()})
        click.echo(f"  {node.name}: {spans(project, mine)}: reads {', '.join(of)}", err=True)
    click.echo(f"make them again: {command_for(project, stale, ['--force'])}", err=True)


def tell_standing(project: Project, plan: Plan, command: str) -> None:
    """On standard error: what stands in the range and is not what would be made now, and the command that makes it."""
    if plan.stale:
        click.echo(f"{len(plan.stale)} slices stand that would be made otherwise now:", err=True)
        for line in reason_lines(project, plan.stale):
            click.echo(f"  {line}", err=True)
        click.echo(f"make them again: {command}", err=True)


def tell_behind(behind: Sequence[Follower], ds: str) -> None:
    """On standard error: models that read what was made and do not hold it yet, and the command that makes them."""
    if behind:
        ordered = sorted(behind, key=lambda each: each.name)
        names = " ".join(each.name for each in ordered)
        click.echo(f"not made from it: {', '.join(f'{each.name} ({each.kind})' for each in ordered)}", err=True)
        click.echo(f"make them: dayslice build --ds {ds} --select {names}", err=True)


def command_for(project: Project, slices: Iterable[Key], flags: Iterable[str] = ()) -> str:
    """The one backfill that makes these slices."""
    tables, values = {table for table, _ in slices}, sorted(ds for _, ds in slices)
    names = [node.name for unique_id, node in project.tables.items() if unique_id in tables]
    if len({len(ds) for ds in values}) > 1:  # of several grains: whole days hold them all
        values = [ds[:10] for ds in values]
    words = ["--select", *names, *flags]
    return f"dayslice backfill --from {values[0]} --to {values[-1]} {' '.join(words)}"


def spans(project: Project, slices: Collection[str]) -> str:
    """`2013-01-01 to 2013-01-05 (5), 2013-01-09`."""
    runs = ranges(slices, project.time_zone)
    return ", ".join(first if count == 1 else f"{first} to {last} ({count})" for first, last, count in runs)
