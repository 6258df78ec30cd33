"""Where in a YAML file something is said, so that an error can name the line."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml


def line_of_key(path: Path, table: str, key: str) -> int | None:
    """The line (from 1) of a key within the entry of a model, a source or a table named `table`, or above it.

    None where the file cannot be read or does not say it.
    """
    try:
        lines = _lines(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return lines.get((table, key), lines.get(("", key)))


@lru_cache(maxsize=64)
def _lines(text: str) -> dict[tuple[str, str], int]:
    """The first line of each key within what has a name, by both; of the whole file, by ''.

    Files of a thousand tables are looked into for each of them.
    """
    found: dict[tuple[str, str], int] = {}
    for names, node in _keys(yaml.compose(text, Loader=yaml.CSafeLoader), ()):
        for name in ("", *names):
            found.setdefault((name, node.value), node.start_mark.line + 1)
    return found


def _keys(node: yaml.Node | None, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Every key, with the `name:` entries that it lies in."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys(item, names)
    elif isinstance(node, yaml.MappingNode):
        own = tuple(value.value for key, value in node.value if key.value == "name" and isinstance(value.value, str))
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield (*names, *own), key
            yield from _keys(value, (*names, *own))
