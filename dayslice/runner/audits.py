"""Every audit of a project, compiled without a look at an engine: what is wrong in one shows before anything runs."""

from collections.abc import Collection
from typing import Any

from dayslice.errors import UsageError
from dayslice.rules.graph import is_audit
from dayslice.runner.project import Project


def check_audits(project: Project, only: Collection[str] | None = None) -> None:
    """Compile each audit, or those of some tables (unique_ids). Raises UsageError that names the file and the test."""
    graph = project.graph  # parsed now, if it was not yet: dbt's own things come with it
    from dbt.adapters.factory import FACTORY  # noqa: PLC0415 - dbt takes two seconds to import
    from dbt_common.exceptions import DbtRuntimeError  # noqa: PLC0415

    adapter: Any = FACTORY.lookup_adapter(project.target.credentials.type)
    manifest = project.dbt.manifest
    adapter.set_macro_resolver(manifest)
    try:
        adapter.check_tests(graph)
    except DbtRuntimeError as error:
        raise UsageError(str(error.msg)) from None
    for unique_id, node in graph["nodes"].items():
        if not is_audit(graph, node) or (only is not None and node["attached_node"] not in only):
            continue
        try:
            _compile(adapter, manifest, unique_id)
        except DbtRuntimeError as error:
            said = " ".join(str(error.msg).split())
            raise UsageError(f"{node['original_file_path']}: audit {node['name']} cannot be compiled: {said}") from None


def _compile(adapter: Any, manifest: Any, unique_id: str) -> None:
    from dbt.clients.jinja import add_rendered_test_kwargs, get_rendered  # noqa: PLC0415
    from dbt.context.providers import ParseDatabaseWrapper, generate_runtime_model_context  # noqa: PLC0415

    node = manifest.nodes[unique_id]
    context = generate_runtime_model_context(node, adapter.config, manifest)
    # As while parsing: macros that ask the engine get nothing, and none is asked.
    context["execute"] = False
    context["adapter"] = ParseDatabaseWrapper(adapter, context["adapter"]._namespace)
    add_rendered_test_kwargs(context, node)
    get_rendered(node.raw_code, context, node)
