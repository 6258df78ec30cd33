"""Where in a YAML file something is said, so that an error can name the line."""

from collections.abc import Iterator
from pathlib import Path

import yaml


def line_of_key(path: Path, table: str, key: str) -> int | None:
    """The line (from 1) of a key within the entry of a model, a source or a table named `table`, or above it.

    None where the file cannot be read or does not say it.
    """
    try:
        root = yaml.compose(path.read_text(), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    found: int | None = None
    for names, node in _keys(root, ()):
        if node.value == key and (table in names or found is None):
            found = node.start_mark.line + 1
            if table in names:
                break
    return found


def _keys(node: yaml.Node | None, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Every key, with the `name:` entries that it lies in."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys(item, names)
    elif isinstance(node, yaml.MappingNode):
        own = tuple(value.value for key, value in node.value if key.value == "name" and isinstance(value.value, str))
        for key, value in node.value:
            yield (*names, *own), key
            yield from _keys(value, (*names, *own))
