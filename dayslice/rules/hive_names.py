"""Names that a Hive metastore holds, and so those of tables and columns on Trino. Pure."""

import re
from collections.abc import Collection, Iterable

from dayslice.errors import UsageError
from dayslice.rules.graph import TableNode

LONGEST = 128


def check_tables(tables: Iterable[TableNode]) -> None:
    """Raises UsageError for a table whose name, or a column that its YAML names, no Hive metastore holds."""
    for node in tables:
        names = [str(column["name"]) for column in node.columns.values()]
        check_names(f"{node.yaml}: {node}", node.table.schema, node.table.name, names)


def check_names(what: str, schema: str, table: str, columns: Collection[str]) -> None:
    """Raises UsageError for a name that no Hive metastore holds. `what` begins the sentence: the file, the model."""
    for kind, name in (("schema", schema), ("table", table)):
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise UsageError(
                f"{what}: the {kind} name {name!r} cannot be held by a Hive metastore: write it with letters a to z, "
                "digits and underscores (alias)"
            )
        if len(name) > LONGEST:
            raise UsageError(
                f"{what}: the {kind} name {name[:20]}… has {len(name)} letters, and a Hive metastore holds {LONGEST}: "
                "give it a shorter one (alias)"
            )
    for name in columns:
        if re.search(r"[,:;\x00-\x1f]", name) or name != name.strip():
            raise UsageError(
                f"{what}: the column name {name!r} cannot be held by a Hive metastore, which takes no comma, colon, "
                "semicolon or blank at an end: name it otherwise (as …)"
            )
