"""`dayslice erase`: nothing of a person is kept."""

import os
import sys
from dataclasses import asdict

import click

from dayslice.commands.options import as_json, asked, target
from dayslice.console import print_json
from dayslice.errors import UsageError
from dayslice.runner.erase import check_erasable, erase, refuse_unfinished, tables_of
from dayslice.runner.erasing import Erased
from dayslice.runner.project import Project, load_project
from dayslice.runner.unowned import unowned_tables


@click.command()
@click.option("--person", metavar="KIND=VALUE", help="Who: email=-  asks, or reads standard input; email=env:NAME.")
@click.option("--again", is_flag=True, help="All who were erased before, once more: after a kill, a restored backup.")
@click.option("--dry-run", is_flag=True, help="Say what would be rewritten, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target
@as_json
def command(person: str | None, again: bool, dry_run: bool, yes: bool, target: str | None, as_json: bool) -> int:
    """Remove every row of a person from all slices, kept versions, stages and landed files, for good.

    Which columns name a person, the tables say: meta: {person: {email: email}}. Each version that has such a row is
    written anew and put in the place of the one before, whose files go at once. Imports and builds leave the person out
    from then on. What is kept of whom is a hash, keyed with DAYSLICE_HASH_KEY. A run that was killed is gone on with by
    the same command. Aggregates stay as they were; so do backups and the source. docs/erasure.md says what is out of
    reach.

    \b
    Examples:
      dayslice erase --person email=- --dry-run
      dayslice erase --person email=env:WHOM --yes
      dayslice erase --again --yes
    """
    if (person is None) is not again:
        raise UsageError("say whom: --person KIND=VALUE, or --again for all who were erased before")
    project = load_project(target=target)
    kind, value = _whom(person, project) if person is not None else (None, None)
    check_erasable(project, kind)
    if not dry_run and not yes:
        erase(project, kind, value, True, lambda each: _tell(each, True))
        if not asked("These rows go, and cannot be had back. Go on?", "--yes goes on without a question"):
            click.echo("nothing was done")
            return 0
    receipt = erase(project, kind, value, dry_run, lambda each: None if as_json else _tell(each, dry_run))
    left = holding_rows(project) if receipt.tables else []
    if as_json:
        print_json({**asdict(receipt), "dry_run": dry_run, "made_of_them": left})
    elif not receipt.tables:
        click.echo("nothing is there of them" if again else "nothing is there of this person")
    elif left:
        click.echo(f"made of such tables, and holding rows: {', '.join(left)}: make them again", err=True)
        for unowned in unowned_tables(project):
            click.echo(f"not looked into, as nothing of the project makes it: {unowned}", err=True)
    if not dry_run:
        refuse_unfinished(receipt)
    return 0


def holding_rows(project: Project) -> list[str]:
    """Plain tables, snapshots and the like that are made of tables that name persons."""
    named = {node.unique_id for node in tables_of(project)}
    return [e.name for e in project.lineage.followers.values() if e.holds_rows and named & set(e.reads)]


def _whom(text: str, project: Project) -> tuple[str, str]:
    kind, equals, value = text.partition("=")
    if not equals or not kind or not value:
        raise UsageError("--person is KIND=VALUE: email=- asks for the value, so that no shell's history has it")
    check_erasable(project, kind)
    if value == "-":
        given = click.prompt(kind, hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
        value = given.rstrip("\r\n")
    elif value.startswith("env:"):
        value = os.environ.get(value.removeprefix("env:"), "")
    if not value:
        raise UsageError(f"--person {kind}=…: the value is empty")
    return kind, value


def _tell(each: Erased, dry_run: bool) -> None:
    verb = "would go" if dry_run else "gone"
    if each.versions:
        slices = f"{len(each.slices)} slices, {each.slices[0]} to {each.slices[-1]}"
        click.echo(f"{each.table}: {each.rows:,} rows {verb} of {each.versions} versions of {slices}")
    if each.leftovers:
        click.echo(f"{each.table}: {each.leftovers} versions that nobody owns {verb}")
