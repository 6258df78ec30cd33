"""Writes the files of a new table. What is there already is left as it is."""

from collections.abc import Sequence
from pathlib import Path

from dayslice.errors import UsageError
from dayslice.rules.new_tables import NewTable, checked_name, files_of, placeholder_in
from dayslice.rules.paths import checked
from dayslice.rules.settings import Kind
from dayslice.runner.project import Project
from dayslice.runner.project_files import watched_paths


def write_table(
    project: Project,
    name: str,
    reads: Sequence[str],
    folder: str | None,
    kind: Kind | None,
    owner: str | None,
    description: str | None,
) -> list[str]:
    """Write them all or none; their paths. Raises UsageError for a name that is taken or a table that is not there."""
    read = [project.find(each) for each in reads]
    for node in project.tables.values():
        if node.name == checked_name(name):
            raise UsageError(f"{name} is a table already, in {node.path}")
    first = read[0] if read else None
    place = folder or (Path(first.path).parent.name if first else "models")
    if place == "models":
        raise UsageError(f"say what {name} is about, as its folder under models/: --folder sales")
    own = kind or (first.settings.kind if first else Kind.EVENTS)
    files = files_of(NewTable(name, read, checked(place, "the folder"), own, owner, description))
    there = [path for path in files if (project.root / path).exists()]
    if there:
        raise UsageError(f"{there[0]} is there already; nothing was written")
    for path, text in files.items():
        file = project.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(files)


def check_placeholders(root: Path) -> None:
    """Raises UsageError that names each place where nobody wrote what `dayslice new` left open."""
    left = []
    for folder in watched_paths(root):
        paths = sorted((root / folder).rglob("*")) if (root / folder).is_dir() else []
        for path in paths:
            if path.suffix in (".sql", ".yml", ".yaml") and (found := placeholder_in(path.read_text(encoding="utf-8"))):
                left.append(f"{path.relative_to(root)}:{found[1]}: {found[0]!r} is left: write what is meant there")
    if left:
        raise UsageError("\n".join(left))
