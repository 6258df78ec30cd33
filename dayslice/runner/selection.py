"""Which tables a command is about: dbt's own selection syntax, or all of them."""

from collections.abc import Sequence

from dayslice.errors import UsageError
from dayslice.rules.graph import TableNode
from dayslice.runner.project import Project


def select_tables(project: Project, select: Sequence[str], exclude: Sequence[str] = ()) -> list[TableNode]:
    """The tables of slices that dbt's selection names (`flights_flat+`, `source:erp`, `tag:x`), upstream first.

    An import may be named as people do: `erp.flights`. Raises UsageError for a selection that names nothing.
    """
    if not select and not exclude:
        return list(project.tables.values())
    imports = {node.name for node in project.imports}
    command = ["ls", "--output", "json", "--output-keys", "unique_id", "--resource-types", "model", "source"]
    for option, words in (("--select", select), ("--exclude", exclude)):
        named = [_as_source(word, imports) for words_ in words for word in words_.split()]
        command += [option, *named] if named else []
    chosen = set(project.dbt.ls(command))
    found = [node for unique_id, node in project.tables.items() if unique_id in chosen]
    if not found:
        known = ", ".join(sorted(node.name for node in project.tables.values()))
        raise UsageError(f"--select {' '.join(select) or '(all)'} names no table; the project has {known or 'none'}")
    return found


def _as_source(word: str, imports: set[str]) -> str:
    bare = word.strip("+@0123456789")
    return word.replace(bare, f"source:{bare}") if bare in imports else word
