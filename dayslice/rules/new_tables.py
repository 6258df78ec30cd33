"""The files of a new table: its SELECT, its YAML, its latest view, as a person would type them. Pure.

What only a person knows is left as a placeholder, and `dayslice check` refuses every one that stays.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from dayslice.errors import UsageError
from dayslice.rules.graph import TableNode
from dayslice.rules.settings import Kind

GRAIN = "TODO: one row per …"
COLUMN = "TODO: what it is."
JOIN = "true -- TODO: how their rows belong together"
SELECT = "-- TODO: name the columns"
PLACEHOLDERS = (GRAIN, COLUMN, JOIN.partition(" ")[2], SELECT)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class NewTable:
    """What is asked: its name, what it reads, and what people would else look up."""

    name: str
    reads: Sequence[TableNode]
    folder: str
    kind: Kind
    owner: str | None = None
    description: str | None = None


def checked_name(name: str) -> str:
    """A table's name. Raises UsageError for one that is none on every engine."""
    if not _NAME.fullmatch(name) or name.endswith("_latest"):
        raise UsageError(f"{name!r} is no name for a table: write a letter, then letters, digits and _: daily_sales")
    return name


def files_of(new: NewTable) -> dict[str, str]:
    """The texts by path, from the project's folder."""
    place = f"models/{new.folder}/{new.name}"
    return {
        f"{place}.sql": _select(new),
        f"{place}.yml": _yaml(new),
        f"{place}_latest.sql": f"{{{{ latest('{new.name}') }}}}\n",
    }


def placeholder_in(text: str) -> tuple[str, int] | None:
    """The first placeholder that a text has, and its line from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        for each in PLACEHOLDERS:
            if each in line:
                return each, number
    return None


def _columns(new: NewTable) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The columns of what is read, by name: the alias of the first table that has it, and what its YAML says."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for node, alias in zip(new.reads, _aliases(new.reads), strict=True):
        for name, column in node.columns.items():
            if name.lower() != "ds":
                found.setdefault(name, (alias, column))
    return found


def _aliases(reads: Sequence[TableNode]) -> list[str]:
    names = ["".join(part[0] for part in node.table.name.split("_") if part) for node in reads]
    return [name if names.count(name) == 1 else f"{name}{at + 1}" for at, name in enumerate(names)]


def _select(new: NewTable) -> str:
    if not new.reads:
        return f"select\n    1 as id {SELECT}\n"
    aliases = _aliases(new.reads)
    columns = [f"    {alias}.{name}" for name, (alias, _) in _columns(new).items()]
    lines = ["select", ",\n".join(columns) if columns else f"    {aliases[0]}.* {SELECT}"]
    for at, (node, alias) in enumerate(zip(new.reads, aliases, strict=True)):
        lines.append(f"{'from' if at == 0 else 'join'} {_macro(node)} as {alias}{f' on {JOIN}' if at else ''}")
    return "\n".join(lines) + "\n"


def _macro(node: TableNode) -> str:
    source, _, table = node.name.rpartition(".")
    return f"{{{{ source('{source}', '{table}') }}}}" if source else f"{{{{ ref('{table}') }}}}"


def _yaml(new: NewTable) -> str:
    meta = [f"slice: {new.kind.value}", *([f"owner: {_text(new.owner)}"] if new.owner else [])]
    lines = [
        "models:",
        f"  - name: {new.name}",
        f"    description: {_text(new.description or GRAIN)}",
        "    config:",
        f"      meta: {{{', '.join(meta)}}}",
    ]
    columns = _columns(new)
    key = new.reads[0].key if new.reads else ()
    if columns:
        lines.append("    # The view below has the same columns.")
        lines.append("    columns: &columns")
    for name, (_, column) in columns.items():
        lines.append(f"      - name: {name}")
        lines.append(f"        description: {_text(column.get('description') or COLUMN)}")
        if len(new.reads) == 1 and key == (name.lower(),):
            lines.append("        data_tests: [unique, not_null]")
    lines += ["", f"  - name: {new.name}_latest", f"    description: The newest slice of {new.name}."]
    lines += ["    columns: *columns"] if columns else []
    return "\n".join(lines) + "\n"


def _text(given: str) -> str:
    """A text as YAML has it on one line."""
    return yaml.safe_dump(" ".join(given.split()), allow_unicode=True, width=10_000).removesuffix("\n...\n").strip()
