"""How commands show a run while it goes on, and what became of it."""

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dayslice.runner.runs import KEPT, PUBLISHED, STAGED, Outcome


class Report:
    """A progress bar over slices on standard error; a line a slice where that is no terminal; nothing for `--json`.

    A context manager.
    """

    def __init__(self, total: int, as_json: bool, what: str = "slices"):
        self.as_json = as_json
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=as_json or total == 0 or not self.console.is_terminal,
            transient=True,
        )
        self.total, self.count = total, 0
        self.task = self.progress.add_task("", total=total, what=what)

    def __enter__(self) -> "Report":
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.progress.stop()

    def heard(self, outcome: Outcome) -> None:
        """Count one slice; say at once what went wrong."""
        self.progress.update(self.task, description=f"{outcome.ds} {outcome.table}", advance=1)
        self.count += 1
        if not self.as_json and not self.console.is_terminal:
            told = f"{self.count}/{self.total} {outcome.ds} {outcome.table}: {outcome.status} ({outcome.seconds:.1f} s)"
            self.console.print(told, markup=False)
        if outcome.message and outcome.status != "skipped" and not self.as_json:
            what = "[red]failed[/red]" if outcome.failed else "[yellow]warned[/yellow]"
            self.console.print(f"{what} {outcome.table} {outcome.ds}:", highlight=False)
            self.console.print(outcome.message, markup=False)


def end(outcomes: Sequence[Outcome], done: int, as_json: bool, **more: Any) -> int:
    """Print what became of a run; the exit code."""
    failed = [each for each in outcomes if each.failed]
    if as_json:
        document = {"done_before": done, **more, "slices": [each.as_json() for each in outcomes]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        counts = [f"{sum(each.status == PUBLISHED for each in outcomes)} published"]
        for status in (STAGED, KEPT, "failed", "skipped"):
            number = sum(each.status == status for each in outcomes)
            counts += [f"{number} {status}"] if number else []
        counts += [f"{len(blocked)} blocked"] if (blocked := more.get("blocked")) else []
        counts += [f"{done} there already"] if done else []
        click.echo(", ".join(counts))
    return 1 if failed else 0
