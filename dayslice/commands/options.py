"""Options that several commands share, so that they are spelled and explained once."""

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from dayslice.errors import UsageError
from dayslice.rules import guard
from dayslice.rules.open_periods import FLAG, VARIABLE


class Words(click.Option):
    """An option that takes words up to the next option, as dbt's do: `--select a b`."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Let the option take what follows its first word."""
        super().add_to_parser(parser, ctx)
        for name in self.opts:
            option = parser._long_opt.get(name) or parser._short_opt[name]
            option.process = _taking_all(option.process)


def _taking_all(process: Any) -> Any:
    def take(value: Any, state: Any) -> None:
        words = [value]
        while state.rargs and not state.rargs[0].startswith("-"):
            words.append(state.rargs.pop(0))
        process(" ".join(words), state)

    return take


@contextmanager
def opened(is_asked: bool, accepted: str | None = None) -> Iterator[None]:
    """Let slices of periods that are not over be made meanwhile, in this process and in dbt's macros.

    `accepted`: a person's reason why slices are replaced though they lose something by that.
    """
    given = {**({VARIABLE: "1"} if is_asked else {}), **({guard.VARIABLE: accepted} if accepted else {})}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass(frozen=True)
class Wanted:
    """What `plan` and `backfill` are asked for: which tables, from which ds to which, and what of it anew."""

    first: str
    last: str
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: bool = False
    downstream: bool = False
    stale: bool = False
    open_period: bool = False

    def as_text(self) -> str:
        """Range and selection, as they are typed."""
        words = [f"--from {self.first} --to {self.last}"]
        words += [f"--select {' '.join(self.select)}"] if self.select else []
        words += [f"--exclude {' '.join(self.exclude)}"] if self.exclude else []
        return " ".join(words)

    def again(self) -> list[str]:
        """The flags that a second try of some of it needs, too."""
        given = {"--force": self.force, "--downstream": self.downstream, "--stale": self.stale, FLAG: self.open_period}
        return [flag for flag, is_given in given.items() if is_given]


def range_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options of a Wanted, given to the command as one argument `wanted`."""

    @functools.wraps(command)
    def with_range(**arguments: Any) -> int:
        wanted = Wanted(**{field: arguments.pop(field) for field in Wanted.__dataclass_fields__})
        return command(wanted=wanted, **arguments)

    for option in reversed(_OF_A_RANGE):
        with_range = option(with_range)
    return with_range


def asked(question: str, how: str) -> bool:
    """A person's yes or no, or a pipe's. Raises UsageError where nobody answers; `how` says what to write instead."""
    nobody = UsageError(f"{question} Nobody is there to answer: {how}")
    if not sys.stdin or sys.stdin.closed:
        raise nobody
    try:
        return click.confirm(question)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise nobody from None


target = click.option("--target", "-t", metavar="NAME", help="The target of profiles.yml; default: local.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
select = click.option(
    "--select",
    "-s",
    cls=Words,
    multiple=True,
    metavar="TABLES…",
    help="dbt's selection: flights_flat+, erp.flights, tag:daily.",
)
exclude = click.option(
    "--exclude", cls=Words, multiple=True, metavar="TABLES…", help="dbt's selection of what to leave out."
)
open_period = click.option(FLAG, "open_period", is_flag=True, help="Make slices of a period that is not over, too.")

accept = click.option(
    guard.FLAG, "accept", metavar="REASON", help="Replace slices though inputs are gone or empty; the receipt says why."
)

_OF_A_RANGE = (
    click.option("--from", "first", required=True, metavar="DS", help="The first slice: 2018-03-01."),
    click.option("--to", "last", required=True, metavar="DS", help="The last slice, included."),
    select,
    exclude,
    click.option("--force", is_flag=True, help="Compute models again that stand already (imports are left alone)."),
    click.option(
        "--downstream", is_flag=True, help="Make again all that stands on what is made, outside the range too."
    ),
    click.option(
        "--stale", is_flag=True, help="Make again what stands and is not what its inputs and its logic give now."
    ),
    open_period,
)
