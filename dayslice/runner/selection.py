"""Which tables a command is about, and which models that follow them: dbt's own selection syntax, or all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayslice.errors import UsageError
from dayslice.rules.followers import Follower
from dayslice.rules.graph import TableNode
from dayslice.runner.project import Project


@dataclass(frozen=True)
class Selected:
    """What a command makes, upstream first."""

    tables: list[TableNode]
    followers: list[Follower]


def select_tables(project: Project, select: Sequence[str], exclude: Sequence[str] = ()) -> list[TableNode]:
    """The tables of slices that dbt's selection names (`flights_flat+`, `source:erp`, `tag:x`), upstream first.

    An import may be named as people do: `erp.flights`. Raises UsageError for a selection that names nothing.
    """
    found = select_made(project, select, exclude).tables
    if not found and (select or exclude):
        raise _nothing(project, select)
    return found


def select_made(project: Project, select: Sequence[str], exclude: Sequence[str] = ()) -> Selected:
    """The tables of slices and the followers that dbt's selection names.

    Raises UsageError for a selection that names neither.
    """
    followers = project.lineage.followers
    if not select and not exclude:
        return Selected(list(project.tables.values()), list(followers.values()))
    chosen = _known(project, select, exclude)
    if chosen is None:
        chosen = _asked(project, select, exclude)
    found = Selected(
        [node for unique_id, node in project.tables.items() if unique_id in chosen],
        [each for unique_id, each in followers.items() if unique_id in chosen],
    )
    if not found.tables and not found.followers:
        raise _nothing(project, select)
    return found


def _nothing(project: Project, select: Sequence[str]) -> UsageError:
    known = ", ".join(sorted(node.name for node in project.tables.values()))
    return UsageError(f"--select {' '.join(select) or '(all)'} names no table; the project has {known or 'none'}")


def _known(project: Project, select: Sequence[str], exclude: Sequence[str]) -> set[str] | None:
    """What plain names select, without dbt."""
    chosen = project.lineage.select(_words(select)) if select else {*project.tables, *project.lineage.followers}
    left_out = project.lineage.select(_words(exclude))
    return None if chosen is None or left_out is None else chosen - left_out


def _words(options: Sequence[str]) -> list[str]:
    return [word for each in options for word in each.split()]


def _asked(project: Project, select: Sequence[str], exclude: Sequence[str]) -> set[str]:
    """What dbt says."""
    imports = {node.name for node in project.imports}
    command = [
        "ls",
        "--output",
        "json",
        "--output-keys",
        "unique_id",
        "--resource-types",
        "model",
        "source",
        "snapshot",
    ]
    for option, words in (("--select", select), ("--exclude", exclude)):
        named = [_as_source(word, imports) for word in _words(words)]
        command += [option, *named] if named else []
    return set(project.dbt.ls(command))


def _as_source(word: str, imports: set[str]) -> str:
    bare = word.strip("+@0123456789")
    return word.replace(bare, f"source:{bare}") if bare in imports else word
