"""The part of a parsed project that one table needs to be built: its nodes and all that they depend on, and the macros.

A run reads it in the same time whether the project has ten tables or thousands. The macros, which all tables share, lie
in a file of their own.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dayslice.runner.dbt_runs import read_manifest, write_manifest

# No DAG has a name with a space in it.
MACROS = "macros of all"
# What belongs to the run and not to a table: hooks.
OF_THE_RUN = ("operation",)


class ManifestParts:
    """Cuts a parsed manifest into parts, and writes them into a folder."""

    def __init__(self, manifest: Any, folder: Path):
        self.manifest, self.folder = manifest, folder
        self.hooks = [u for u, node in manifest.nodes.items() if node.resource_type in OF_THE_RUN]
        self.unit_tests: dict[str, list[str]] = {}
        for unique_id, test in manifest.unit_tests.items():
            for each in test.depends_on.nodes:
                self.unit_tests.setdefault(each, []).append(unique_id)
        self.tests: dict[str, list[str]] = {}
        for unique_id, node in manifest.nodes.items():
            if attached := getattr(node, "attached_node", None):
                self.tests.setdefault(attached, []).append(unique_id)

    def write_macros(self) -> None:
        """What all parts share."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_manifest(self._with(macros=self.manifest.macros, docs=self.manifest.docs), part_file(self.folder, MACROS))

    def write(self, name: str, unique_ids: Iterable[str]) -> None:
        """The part with these nodes, the tests of each, and all that they depend on."""
        wanted = list(unique_ids)
        wanted += [test for each in wanted for test in self.tests.get(each, ())]
        chosen = self._upstream([*wanted, *self.hooks])
        units = {test for each in chosen for test in self.unit_tests.get(each, ())}
        part = self._with(
            nodes={u: self.manifest.nodes[u] for u in sorted(chosen) if u in self.manifest.nodes},
            sources={u: self.manifest.sources[u] for u in sorted(chosen) if u in self.manifest.sources},
            unit_tests={u: self.manifest.unit_tests[u] for u in sorted(units)},
            groups=self.manifest.groups,
        )
        write_manifest(part, part_file(self.folder, name))

    def files(self) -> list[Path]:
        """What was written, relative to the folder that holds the parts'."""
        return sorted(each.relative_to(self.folder.parent) for each in self.folder.iterdir())

    def _upstream(self, unique_ids: Iterable[str]) -> set[str]:
        found: set[str] = set()
        todo = list(unique_ids)
        while todo:
            each = todo.pop()
            if each not in found:
                found.add(each)
                node = self.manifest.nodes.get(each)
                todo += getattr(getattr(node, "depends_on", None), "nodes", ())
        return found

    def _with(self, **parts: Any) -> Any:
        from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - dbt takes two seconds to import

        return Manifest(metadata=self.manifest.metadata, **parts)


def part_file(folder: Path, name: str) -> Path:
    """Where a table's part lies."""
    return folder / f"{name}.msgpack"


def read_part(folder: Path, name: str) -> Any:
    """A table's part, whole, as dbt runs it."""
    part = read_manifest(part_file(folder, name), flat=False)
    shared = read_manifest(part_file(folder, MACROS), flat=False)
    part.macros, part.docs = shared.macros, shared.docs
    for node in part.nodes.values():
        if node.resource_type == "seed":  # its file is in the copy of the project that this machine has
            node.root_path = str(folder.parent)
    part.build_flat_graph()
    return part
