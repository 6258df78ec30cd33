"""A table's tests as its audits: compiled as dbt compiles a test, with the staged version in the table's place."""

import copy
from collections.abc import Sequence
from typing import Any

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.jinja import for_jinja
from dbt_common.exceptions import CompilationError, DbtRuntimeError

from dayslice.errors import Refused
from dayslice.rules.graph import Node, is_audit, read_by_name
from dayslice.rules.keys import tests_by_table

STAGED = "dayslice_staged"
"""Jinja's variable in an audit: the staged relation by the table's unique_id. `relation_of_run` looks at it."""


class RunsAudits(metaclass=AdapterMeta):
    """Mixed into `SliceAdapter`."""

    config: Any
    execute: Any
    _macro_resolver: Any

    _attached: tuple[Node, dict[str, list[Node]]] | None = None
    """The tests of each model, of the graph that was asked for last."""

    @for_jinja
    def audits_of(self, graph: Node, model: Node) -> list[Node]:
        """The tests that run on the staged slice of `model`."""
        known = self._attached
        if known is None or known[0] is not graph:
            known = self._attached = (graph, tests_by_table(graph))
        return [test for test in known[1].get(model["unique_id"], ()) if is_audit(graph, test)]

    @for_jinja
    def staged_instead(
        self,
        graph: Node,
        model: Node,
        staged: dict[str, Any],
        name: str,
        source: str | None,
        package: str | None,
        version: Any,
    ) -> Any:
        """The staged relation, where an audit names the table that it audits; else None."""
        return staged.get(read_by_name(graph, model, name, source, package, version) or "")

    @for_jinja
    def compiled_audit(self, test: Node, model: Node, staged_relation: Any) -> str:
        """The SQL of a test's failing rows on the staged version: dbt's own compilation of it."""
        from dbt.compilation import Compiler  # noqa: PLC0415 - dbt imports adapters first

        node = copy.deepcopy(self._macro_resolver.nodes[test["unique_id"]])
        context = {STAGED: {model["unique_id"]: staged_relation}}
        try:
            compiled = Compiler(self.config).compile_node(node, self._macro_resolver, context, write=False)
        except CompilationError as error:
            raise Refused(
                f"{test['original_file_path']}: audit {test['name']} of {model['name']} cannot be compiled, so nothing "
                f"was published: {error.msg}"
            ) from error
        return str(compiled.compiled_code).strip()

    @for_jinja
    def counted_failures(self, slice_name: str, names: Sequence[str], queries: Sequence[str]) -> list[Sequence[Any]]:
        """The rows that audits' queries give, all in one; a query that cannot run is named."""
        try:
            return [tuple(row) for row in self.execute("\nunion all\n".join(queries), fetch=True)[1]]
        except DbtRuntimeError:
            for name, query in zip(names, queries, strict=True):
                try:
                    self.execute(query, fetch=True)
                except DbtRuntimeError as error:
                    reason = " ".join(str(error.msg).split())
                    raise Refused(
                        f"{slice_name}: audit {name} cannot run; nothing was published: {reason}\nIt was:\n{query}"
                    ) from error
            raise
