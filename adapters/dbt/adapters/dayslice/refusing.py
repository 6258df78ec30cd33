"""What a dbt command is refused before anything runs, because published slices would suffer from it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from difflib import get_close_matches
from typing import Any

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.jinja import for_jinja

from dayslice.errors import Refused, UsageError
from dayslice.metastore.interface import Metastore
from dayslice.rules.graph import Node, is_latest, is_slices
from dayslice.rules.reading import is_ephemeral
from dayslice.rules.slices import Table


class RefusesRuns(metaclass=AdapterMeta):
    """Mixed into `SliceAdapter`."""

    config: Any
    _macro_resolver: Any

    def slice_metastore(self) -> AbstractContextManager[Metastore]:
        """The metastore of this target."""
        raise NotImplementedError

    @for_jinja
    def refuse_part_of_a_slice(self, name: str) -> None:
        """Refuse `--empty` and `--sample`, which would publish a slice of no rows or of some."""
        if option := _partial():
            raise Refused(
                f"{option} would publish a slice of {name} with {'no' if option == '--empty' else 'some'} rows only; "
                f"nothing was done. To try a SELECT, use dbt show --select {name} --limit 5"
            )

    @for_jinja
    def check_selected(self, graph: Node, selected: Iterable[str]) -> None:
        """Refuse what would replace published slices by something else."""
        nodes = [graph["nodes"][each] for each in selected if each in graph["nodes"]]
        if _partial():
            for node in nodes:
                if is_slices(node) or node["resource_type"] == "snapshot":
                    self.refuse_part_of_a_slice(node["name"])
        others = [
            node
            for node in nodes
            if node["resource_type"] in ("model", "seed", "snapshot")
            and not (is_slices(node) or is_ephemeral(node) or is_latest(node))
        ]
        if not others:
            return
        with self.slice_metastore() as metastore:
            for node in others:
                table = Table(node["schema"], node.get("alias") or node["name"])
                if slices := metastore.published_ds(table):
                    kind = node["config"].get("materialized") or node["resource_type"]
                    raise Refused(
                        f"{table} has {len(slices)} slices, and {node['original_file_path']} is a {kind} now, which "
                        f"would replace them; nothing was done. Give it another name, or make it a table of slices "
                        f"again: materialized: incremental, incremental_strategy: slice"
                    )

    @for_jinja
    def check_tests(self, graph: Node) -> None:
        """Refuse a test that does not exist, before anything runs; dbt itself finds out as it runs it."""
        known = {name for _, _, name in (key.split(".", 2) for key in self._macro_resolver.macros)}
        for node in graph["nodes"].values():
            metadata = node.get("test_metadata") if node["resource_type"] == "test" else None
            if not metadata or f"test_{metadata['name']}" in known:
                continue
            near = get_close_matches(f"test_{metadata['name']}", [each for each in known if each.startswith("test_")])
            hint = f": do you mean {near[0].removeprefix('test_')}?" if near else ""
            raise UsageError(
                f"{node['original_file_path']}: there is no test {metadata['name']!r}, which {node['name']} is to "
                f"run{hint}"
            )


def _partial() -> str | None:
    from dbt.flags import get_flags  # noqa: PLC0415 - dbt imports adapters first

    flags = get_flags()
    if getattr(flags, "EMPTY", False):
        return "--empty"
    return "--sample" if getattr(flags, "SAMPLE", None) else None
