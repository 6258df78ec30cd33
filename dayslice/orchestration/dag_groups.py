"""The files that Airflow reads DAGs from: one for few tables, and one for each group of many.

Airflow reads a file again when it has changed, and writes each of its DAGs to its database, some 30 ms each, changed or
not. So a deployment writes anew only the groups in which something changed: a new table shows within seconds, also
beside two thousand others. A table's group follows from its DAG's name, so that it stays in its file; there are twice
as many groups once they have become too large.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from dayslice import __version__
from dayslice.store.directory import write_whole

LARGEST = 100
"""Tables of a group, on the average, from which on there are twice as many groups."""
FIRST = "dayslice_dags.py"
_CALL = "deployed_dags()"


def group_of(dag_id: str, groups: int) -> int:
    """The group of a DAG: the same in each process, and of twice as many groups this one or one of the new ones."""
    return int.from_bytes(hashlib.sha256(dag_id.encode()).digest()[:4]) % groups


def group_files(folder: Path) -> list[Path]:
    """Those that are there, by their group."""
    return sorted(folder.glob("dayslice_dags*.py"))


def file_of(dag_id: str, folder: Path) -> Path:
    """The file that a DAG is read from."""
    return folder / _name(group_of(dag_id, _groups_in(folder)))


def lay_group_files(
    folder: Path, template: str, entries: Mapping[str, Mapping[str, Any]], common: Mapping[str, Any]
) -> None:
    """Put the files of so many tables in place, each in one step; one that would be as it is stays as it is.

    `template`: the text of the file of all tables. `entries`: what each DAG is made from, `common`: what all of them
    are, as JSON. Where there is one file, it is always new.
    """
    groups = _groups(_groups_in(folder), len(entries))
    parts: list[dict[str, Any]] = [{} for _ in range(groups)]
    for dag_id, entry in entries.items():
        parts[group_of(dag_id, groups)][dag_id] = entry
    # New ones first: a DAG that goes to another file is in both for a moment, and never in none.
    for group in reversed(range(groups)):
        content = [__version__, common, parts[group]]
        made_from = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        call = _CALL if groups == 1 else f"deployed_dags({group}, {groups})"
        text = f"{template.replace(_CALL, call)}\n# Made from {made_from}\n"
        file = folder / _name(group)
        if groups == 1 or not file.is_file() or file.read_text() != text:
            write_whole(file, text.encode())


def _name(group: int) -> str:
    return FIRST if group == 0 else f"dayslice_dags_{group:03}.py"


def _groups_in(folder: Path) -> int:
    """How many groups there are, also where a file of one is gone."""
    numbers = [each.stem.removeprefix("dayslice_dags").strip("_") for each in group_files(folder)]
    return 1 << max((int(number) for number in numbers if number.isdecimal()), default=0).bit_length()


def _groups(before: int, tables: int) -> int:
    """How many there are to be: never fewer than there were, as each table would go to another file for nothing."""
    groups = before
    while tables > LARGEST * groups:
        groups *= 2
    return groups
