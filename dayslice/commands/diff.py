"""`dayslice diff`: what became of a slice's rows."""

import click

from dayslice.commands.options import as_json, target
from dayslice.console import print_json
from dayslice.errors import UsageError
from dayslice.rules.diff_words import condition_of, sides, tolerance_of
from dayslice.rules.differences import Sum
from dayslice.runner.diff_reports import markdown, show
from dayslice.runner.diffs import Asked, Compare
from dayslice.runner.project import load_project


@click.command()
@click.argument("table")
@click.argument("first", metavar="DS[@VERSION]")
@click.argument("second", metavar="[DS[@VERSION]|TARGET:TARGET]", required=False)
@click.option("--key", metavar="COLUMNS", help="The key's columns; default: the contract's or unique test's; '': none.")
@click.option("--exclude", "without", metavar="COLUMNS", multiple=True, help="Columns to leave out: loaded_at,row_id.")
@click.option("--tolerance", metavar="N|N%", help="By how much numbers may differ and be the same: 0.01 or 1%.")
@click.option(
    "--samples", type=click.IntRange(min=0), default=0, metavar="N", help="Show N rows: they may be personal."
)
@click.option("--fail-if", "conditions", multiple=True, metavar="EXPR", help="End with 1 if so: 'changed > 1%'.")
@click.option("--read", "always", is_flag=True, help="Read the rows though the fingerprints are equal.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a pull request.")
@target
@as_json
def command(
    table: str,
    first: str,
    second: str | None,
    key: str | None,
    without: tuple[str, ...],
    tolerance: str | None,
    samples: int,
    conditions: tuple[str, ...],
    always: bool,
    as_markdown: bool,
    target: str | None,
    as_json: bool,
) -> int:
    """Compare two slices, two versions of one, or one on two targets: schema, rows, columns, and why they differ.

    A version is its number (v2, as dayslice history lists them) or how its id begins. Without a second, the version
    before is compared with the published one. A range of ds is compared ds by ds and summed up. Rows are told apart by
    the key, which is checked first; without one, rows are counted as they are. Exit codes: 0 compared, 1 a --fail-if
    holds, 2 wrong usage.

    \b
    Examples:
      dayslice diff daily_sales 2018-03-01
      dayslice diff daily_sales 2018-03-01@v1 2018-03-01@v3 --exclude loaded_at
      dayslice diff daily_sales 2018-02-28 2018-03-01 --key order_id --tolerance 0.01
      dayslice diff daily_sales 2018-03-01..2018-03-07 staging:trino --fail-if 'changed > 1%' --markdown
    """
    rules = [condition_of(each) for each in conditions]
    asked = Asked(_columns(key or ""), _columns(",".join(without)), tolerance_of(tolerance), samples, always, key == "")
    left, right = sides(first, second)
    project = load_project(target=target)
    comparison = Compare(project, table, left, right, asked)
    summed = Sum(list(comparison.differences()))
    broken = [rule.text for rule in rules if rule.holds(summed.counts)]
    if as_json:
        print_json({"table": table, "differences": [e.as_json() for e in summed.of], **summed.counts, "failed": broken})
    elif as_markdown:
        click.echo(markdown(table, summed))
    else:
        show(summed)
    for each in broken:
        click.echo(f"{table}: {each}", err=True)
    return 1 if broken else 0


def _columns(text: str) -> tuple[str, ...]:
    names = tuple(each.strip().lower() for each in text.split(",") if each.strip())
    if len(set(names)) < len(names):
        raise UsageError(f"{text!r} names a column twice")
    return names
