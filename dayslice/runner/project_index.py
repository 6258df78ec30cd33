"""The parsed project in one small file, so that a command that only looks need not start dbt (six seconds of CPU).

It lies in the project's target/ folder and holds no secret: credentials stay in profiles.yml and the environment. It is
believed only as long as its stamp is what the project, the installation and the environment give now.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from dayslice.engines.target import Target, home_of, known_credentials
from dayslice.rules.graph import Node, TableNode
from dayslice.rules.lineage import Lineage
from dayslice.rules.logic import Hashes
from dayslice.rules.settings import read_settings
from dayslice.rules.slices import Table
from dayslice.rules.waits import Wait
from dayslice.runner.project_files import stamp_of_environment, stamp_of_files, variables_in, watched_paths
from dayslice.store.directory import write_whole

FOLDER = Path("target") / "dayslice"
WHOLE = "index"


@dataclass(frozen=True)
class ProjectIndex:
    """What is known of a project without dbt."""

    target: Target
    tables: dict[str, TableNode]
    time_zone: ZoneInfo
    lineage: Lineage
    logic: Mapping[str, Hashes]


@dataclass(frozen=True)
class Stamp:
    """What a project was when it was parsed. Made before the parse, so that a change meanwhile is seen afterwards."""

    watched: list[str]
    files: str

    @classmethod
    def of(cls, root: Path) -> "Stamp":
        """The stamp of a project's files as they are."""
        watched = watched_paths(root)
        return cls(watched, stamp_of_files(root, watched))


def read_index(root: Path, target: str | None, kind: str = WHOLE) -> ProjectIndex | None:
    """The index of a project and a target (None: the profile's default), or None where there is none that holds.

    `kind`: of one that knows less, and of which less is watched.
    """
    try:
        head, _, body = _file(root, target, kind).read_bytes().partition(b"\n")
        if hashlib.blake2b(body).hexdigest().encode() != head:
            return None
        content = orjson.loads(body)
        if content["files"] != stamp_of_files(root, content["watched"]):
            return None
        if content["environment"] != stamp_of_environment(content["variables"], content["salt"]):
            return None
        return ProjectIndex(
            target=_target(root, content["target"]),
            tables={each["unique_id"]: _table(each) for each in content["tables"]},
            time_zone=ZoneInfo(content["time_zone"]),
            lineage=Lineage.from_json(content["lineage"]),
            logic={unique_id: (logic, audits) for unique_id, (logic, audits) in content["logic"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # damaged, or of another version: it is made anew


def write_index(
    root: Path, target: str | None, index: ProjectIndex, before: Stamp, variables: set[str], kind: str = WHOLE
) -> None:
    """Keep what a parse found, in one step: of two processes at once, the last one's stays, whole.

    `before`: the stamp from before the parse; a project that changed since is not kept. `variables`: those that dbt saw
    asked for. A folder that cannot be written is no error: the next command parses again.
    """
    with contextlib.suppress(OSError):
        if stamp_of_files(root, before.watched) != before.files:
            return
        names = sorted(variables | variables_in(root, before.watched))
        salt = secrets.token_hex(16)
        body = orjson.dumps(
            {
                "watched": before.watched,
                "files": before.files,
                "variables": names,
                "salt": salt,
                "environment": stamp_of_environment(names, salt),
                "target": _target_facts(index.target),
                "time_zone": index.time_zone.key,
                "lineage": index.lineage.as_json(),
                "logic": index.logic,
                "tables": [_table_facts(node) for node in index.tables.values()],
            },
            option=orjson.OPT_NON_STR_KEYS,
            default=str,
        )
        file = _file(root, target, kind)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, hashlib.blake2b(body).hexdigest().encode() + b"\n" + body)


class ParsedLater(Mapping[str, Any]):
    """dbt's graph, parsed when it is first looked into."""

    def __init__(self, parse: Any):
        self._parse = parse

    @cached_property
    def _graph(self) -> Node:
        found: Node = self._parse()
        return found

    def __getitem__(self, key: str) -> Any:
        return self._graph[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph)

    def __len__(self) -> int:
        return len(self._graph)


def _file(root: Path, target: str | None, kind: str) -> Path:
    # A project that is used with two homes has two indexes, not one that is made anew at each turn.
    place = hashlib.blake2b(f"{target or ''}\0{home_of(root)}".encode(), digest_size=6).hexdigest()
    return root / FOLDER / f"{place}.{kind}"


def _target_facts(target: Target) -> dict[str, Any]:
    known = known_credentials(target.credentials)
    return {
        "name": target.name,
        "type": target.type,
        "database": target.database,
        "schema": target.schema,
        "warehouse": target.warehouse,
        "database_file": str(target.database_file) if target.database_file else None,
        "credentials": known,
    }


def _target(root: Path, facts: Mapping[str, Any]) -> Target:
    file = facts["database_file"]
    return Target.known(root, **{**facts, "database_file": Path(file) if file else None})


def _table_facts(node: TableNode) -> dict[str, Any]:
    return {
        "unique_id": node.unique_id,
        "schema": node.table.schema,
        "name": node.table.name,
        "is_import": node.is_import,
        "meta": node.meta,
        "path": node.path,
        "yaml": node.yaml,
        "description": node.description,
        "columns": node.columns,
        "waits": [astuple(wait) for wait in node.waits],
        "latest_view": node.latest_view,
        "key": node.key,
    }


def _table(facts: Mapping[str, Any]) -> TableNode:
    return TableNode(
        unique_id=facts["unique_id"],
        table=Table(facts["schema"], facts["name"]),
        is_import=facts["is_import"],
        settings=read_settings(facts["meta"], f"{facts['yaml']}: {facts['name']}", facts["is_import"]),
        meta=facts["meta"],
        path=facts["path"],
        yaml=facts["yaml"],
        description=facts["description"],
        columns=facts["columns"],
        waits=tuple(Wait(*each) for each in facts["waits"]),
        latest_view=facts["latest_view"],
        key=tuple(facts["key"]),
    )
