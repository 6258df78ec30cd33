"""How differences are shown: for people, and as Markdown for a pull request."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table as Grid

from dayslice.rules.differences import ColumnChange, Difference, Sum, key_words, sentence, share

_HEADS = ("column", "rows", "share", "nulls", "distinct", "min", "max", "mean")


def show(summed: Sum) -> None:
    """One difference in full; of several a line each, and their sum."""
    console = Console(width=None if Console().is_terminal else 200)
    if len(summed.of) > 1:
        console.print(_of_range(summed))
        return
    (one,) = summed.of
    click.echo(f"{one.before} -> {one.after}")
    click.echo(sentence(one))
    if one.is_known_equal:
        return
    click.echo(f"rows {one.left:,} -> {one.right:,} ({key_words(one.key)})")
    for change in one.schema:
        click.echo(f"schema {change}")
    if one.columns:
        grid = Grid(*_HEADS, box=None, header_style="bold")
        for each in one.columns:
            grid.add_row(*column_cells(one, each))
        console.print(grid)
    for row in one.samples:
        click.echo("  ".join("null" if value is None else str(value) for value in row))


def markdown(table: str, summed: Sum) -> str:
    """A section for a pull request."""
    lines = [f"### {table}"]
    for one in summed.of:
        lines += ["", f"**{one.before} → {one.after}**: {sentence(one)}"]
        lines += [f"- schema: `{change}`" for change in one.schema]
        if one.columns:
            lines += ["", _line(_HEADS), _line(["---"] * len(_HEADS))]
            lines += [_line(column_cells(one, each)) for each in one.columns]
    if len(summed.of) > 1:
        lines += ["", f"**{len(summed.of)} ds**: {total_words(summed)}"]
    return "\n".join(lines)


def total_words(summed: Sum) -> str:
    """The sum of a range."""
    counts = summed.counts
    return ", ".join(
        [
            f"{counts['changed']:,} of {counts['left']:,} rows changed ({share(counts['changed'], counts['left'])})",
            f"{counts['added']:,} added",
            f"{counts['removed']:,} removed",
        ]
    )


def column_cells(one: Difference, change: ColumnChange) -> list[str]:
    """A column's line."""
    before, after = change.before, change.after
    rows = "" if change.rows is None else f"{change.rows:,}"
    part = "" if change.rows is None else share(change.rows, one.left)
    pairs = [
        (before.nulls, after.nulls),
        (before.distinct, after.distinct),
        (before.least, after.least),
        (before.greatest, after.greatest),
        (before.mean, after.mean),
    ]
    return [change.column, rows, part, *(_pair(*pair) for pair in pairs)]


def _of_range(summed: Sum) -> Grid:
    grid = Grid("ds", "rows", "added", "removed", "changed", "share", "why", box=None, header_style="bold")
    for one in summed.of:
        counts = [f"{each:,}" for each in (one.left, one.added, one.removed, one.changed)]
        grid.add_row(one.ds, *counts, share(one.changed, one.left), "; ".join([*map(str, one.schema), *one.reasons]))
    totals = summed.counts
    shown = [f"{totals[name]:,}" for name in ("left", "added", "removed", "changed")]
    grid.add_row("sum", *shown, share(totals["changed"], totals["left"]), "", style="bold")
    return grid


def _pair(before: Any, after: Any) -> str:
    if before is None and after is None:
        return ""
    first, second = _number(before), _number(after)
    return first if first == second else f"{first} -> {second}"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "null")


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(each).replace("|", "\\|") for each in cells) + " |"
