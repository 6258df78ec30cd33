"""How `dayslice import` shows tables while they are copied, and what a dry run would do."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dayslice.console import print_json
from dayslice.runner.reports import Report
from dayslice.runner.runs import Outcome

if TYPE_CHECKING:
    from dayslice.runner.imports import ImportResult, Prepared
    from dayslice.runner.imports import Progress as Seen


class ImportReport:
    """A bar for each table that is being copied: rows, MB/s, time left. Nothing of it for `--json`."""

    def __init__(self, total: int, as_json: bool):
        self.report = Report(total, as_json)
        self.as_json = as_json
        # One place on the screen: the bars of tables, and no second one for their number.
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} rows"),
            TextColumn("{task.fields[rate]:.1f} MB/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.report.console,
            disable=as_json or not self.report.console.is_terminal,
            transient=True,
        )
        self.bars: dict[tuple[str, str], TaskID] = {}
        self.guard = threading.Lock()

    def __enter__(self) -> "ImportReport":
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.progress.stop()

    def watched(self, seen: "Seen") -> None:
        """Rows of one table went by. Called from several threads."""
        key = (seen.table.name, seen.ds)
        with self.guard:
            if key not in self.bars:
                self.bars[key] = self.progress.add_task(f"{seen.ds} {seen.table}", total=None, rate=0.0)
            bar = self.bars[key]
            task = self.progress.tasks[self.progress.task_ids.index(bar)]
            rate = seen.bytes / 1e6 / task.elapsed if task.elapsed else 0.0
            # An estimate that turned out too low is none.
            total = seen.expected if seen.expected > seen.rows else None
            self.progress.update(bar, completed=seen.rows, total=total, rate=rate)

    def ended(self, result: "ImportResult", outcome: Outcome) -> None:
        """One slice is done: say what became of it."""
        with self.guard:
            bar = self.bars.pop((result.table.name, result.ds), None)
            if bar is not None:
                self.progress.remove_task(bar)
        if self.as_json:
            return
        console = self.report.console
        if result.error is not None:
            console.print(f"[red]failed[/red] {result.table} {result.ds}:")
            console.print(str(result.error), markup=False)
            return
        assert result.version is not None
        receipt = result.version.receipt
        rate = f", {receipt.bytes / 1e6:,.1f} MB" if receipt.bytes >= 100_000 else ""
        what = "unchanged" if result.unchanged else f"{receipt.rows:,} rows{rate} in {result.seconds:.1f} s"
        console.print(f"{result.ds} {result.table}: {what}", markup=False)
        for name in result.added:
            console.print(f"  new column {name}: NULL in the slices before", markup=False)
        if result.hint:
            console.print(f"  {result.hint}", markup=False)


def show_plan(planned: Sequence["Prepared"], refused: Sequence["ImportResult"], as_json: bool) -> int:
    """What a dry run found; the exit code: 1 if a table would be refused."""
    found = [_plan(each) for each in planned]
    errors = [{"table": each.table.name, "ds": each.ds, "error": str(each.error)} for each in refused]
    if as_json:
        print_json({"imports": found, "refused": errors})
        return 1 if refused else 0
    for each in found:
        click.echo(f"{each['ds']} {each['table']}")
        click.echo(
            f"  reads   {each['source']}: about {each['expected_rows']:,} rows, "
            f"{each['source_bytes'] / 1e6:,.1f} MB, in {each['streams']} stream{'s' * (each['streams'] > 1)}"
        )
        for statement in each["statements"]:
            click.echo(f"          {statement}")
        click.echo(f"  writes  {each['location']}")
        if each["added"]:
            click.echo(f"  new     {', '.join(each['added'])}: NULL in the slices before")
        if each["hint"]:
            click.echo(f"  hint    {each['hint']}")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for error in errors:
        console.print(f"[red]would be refused[/red] {error['table']} {error['ds']}:")
        console.print(error["error"], markup=False)
    click.echo("nothing was copied")
    return 1 if refused else 0


def _plan(prepared: "Prepared") -> dict[str, Any]:
    job, table = prepared.job, prepared.table
    place = f"{prepared.job.folder}/<version>/ds={job.ds}"
    return {
        "table": job.node.name,
        "ds": job.ds,
        "source": str(table),
        "expected_rows": table.rows,
        "source_bytes": table.size.bytes,
        "streams": len(prepared.selects),
        "statements": [statement_text(each) for each in prepared.selects],
        "columns": [column.name for column in prepared.columns],
        "location": job.store.location(place),
        "replaces": job.ds in prepared.published,
        "added": list(prepared.added),
        "hint": prepared.hint,
    }


def statement_text(statement: Any) -> str:
    """A composed statement as SQL, without a connection: names are quoted, literals are of our own making."""
    from psycopg2 import sql  # noqa: PLC0415 - only imports need it

    if isinstance(statement, sql.Composed):
        return "".join(statement_text(part) for part in statement.seq)
    if isinstance(statement, sql.Identifier):
        return ".".join('"' + name.replace('"', '""') + '"' for name in statement.strings)
    if isinstance(statement, sql.Literal):
        return "'" + str(statement.wrapped).replace("'", "''") + "'"
    return str(statement.string)
