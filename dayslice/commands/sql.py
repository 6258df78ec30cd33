"""`dayslice sql`: ask the warehouse, and change nothing."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from dayslice.commands.answer_output import WRITERS
from dayslice.commands.options import as_json, target
from dayslice.engines.target import time_zone_of
from dayslice.errors import UsageError
from dayslice.rules.past import moment_of
from dayslice.runner.asking import Asked, Rendering, asking
from dayslice.runner.project import find_root
from dayslice.runner.quick_target import quick_target


@click.command()
@click.argument("statement", required=False, metavar="[SQL | FILE.sql | -]")
@click.option("--ds", metavar="DS", help="What ds() is, and the slice that ref() and source() read.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most so many rows; 0: all. A table: 100.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@click.option("--as-of", metavar="MOMENT", help="Read what was published then, as far as its versions are kept.")
@target
@as_json
def command(
    statement: str | None,
    ds: str | None,
    limit: int | None,
    as_csv: bool,
    as_of: str | None,
    target: str | None,
    as_json: bool,
) -> None:
    """Ask the warehouse in SQL, and change nothing: one SELECT, of what is published.

    Tables of the project's own schema need no schema before their name. Jinja is as in a model: with --ds a ref() is
    that slice, without it all slices. Nothing given: a prompt, which keeps a history.

    \b
    Examples:
      dayslice sql "select carrier_name, flights from carrier_metrics_latest order by flights desc"
      dayslice sql "select count(*) from {{ slice('flights_flat', -1) }}" --ds 2013-01-02
      dayslice sql models/flights/airport_daily.sql --ds 2013-01-02 --csv > days.csv
      dayslice sql "select sum(flights) from carrier_metrics where ds = '2018-03-01'" --as-of '2018-03-03 09:00'
      dayslice sql
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json are two shapes: give one of them")
    root = find_root()
    write = WRITERS["csv" if as_csv else "json" if as_json else ""]
    given = text_of(statement)
    rendering = Rendering(root, target, ds)
    sql = rendering.render(given) if given is not None else None

    def answer(asked: Asked, sql: str) -> None:
        with asked.ask(sql) as found:
            write(found, limit)

    moment = moment_of(as_of, time_zone_of(root), datetime.now(UTC)) if as_of else None
    place = quick_target(root, target)
    with asking(root, place, moment, lambda said: click.echo(said, err=True)) as asked:
        if sql is not None:
            answer(asked, sql)
            return
        from dayslice.commands.sql_prompt import prompt  # noqa: PLC0415 - a tenth of a second, for those who type

        prompt(place, lambda typed: answer(asked, rendering.render(typed)))


def text_of(statement: str | None) -> str | None:
    """The SQL that was given, by itself, in a file or on standard input; None where a person is to be asked for it."""
    if statement is None and sys.stdin and sys.stdin.isatty():
        return None
    if statement in (None, "-"):
        statement = sys.stdin.read() if sys.stdin else ""
    elif statement.endswith(".sql") and not any(each.isspace() for each in statement):
        try:
            statement = Path(statement).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{statement} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not statement.strip():
        raise UsageError('there is no SQL: write dayslice sql "select …", a file, or - and SQL on standard input')
    return statement
