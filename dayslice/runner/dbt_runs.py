"""dbt in this process: the project is parsed once, and each later command takes half a second to start."""

import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dayslice.errors import DaysliceError, UsageError

# Files for other programs; writing manifest.json is the largest part of a small run in a large project.
_ALWAYS = ["--no-send-anonymous-usage-stats", "--log-level", "none", "--no-use-colors"]
# The tag that the nodes of one command have while it runs: to find many nodes by their names, dbt looks at all of its
# nodes for each.
_CHOSEN = "dayslice-chosen"
# What dbt calls SQL that belongs to no model says nothing to a person.
_INLINE = re.compile(
    r"^(Runtime|Compilation) Error in sql_operation \S+ \(from [^)]*\) |Sql_Operation '[^']*' \(from [^)]*\) "
)


@dataclass(frozen=True)
class NodeResult:
    """What became of one node: `status` is dbt's (success, pass, warn, error, fail, skipped)."""

    unique_id: str
    status: str
    message: str
    seconds: float
    rows: int | None = None

    @property
    def failed(self) -> bool:
        """Whether it counts against the run."""
        return self.status in ("error", "fail", "runtime error")


@dataclass
class Dbt:
    """One parsed project, and commands on it. Not for several threads at once: dbt is not."""

    root: Path
    target: str | None = None
    manifest: Any = None
    on_node: Callable[[NodeResult], None] | None = field(default=None)
    warnings: list[str] = field(default_factory=list)
    """What macros warned of in the running command: audits of severity warn."""
    _refused: str = ""
    """Why dbt could not parse SQL that belongs to no model: the result says only that it could not."""

    def parse(self) -> Any:
        """Parse the project, from dbt's partial-parse file where it is fresh. Raises UsageError as dbt words it."""
        result = self._invoke(["parse", "--no-write-json"])
        if not result.success:
            raise UsageError(one_message(result))
        self.manifest = result.result
        return self.manifest

    def run(self, command: list[str], ds: str | None = None, chosen: Collection[str] | None = None) -> list[NodeResult]:
        """Run a command such as `["build", "--select", "t"]` for a ds; its nodes' results.

        `chosen`: the unique_ids of the nodes to run, in place of a `--select`. Raises DaysliceError if dbt could not
        run it at all.
        """
        if self.manifest is None:
            self.parse()
        self.warnings = []
        forget_compiled(self.manifest)
        if chosen is not None:
            command = [*command, "--indirect-selection", "empty", "--select", f"tag:{_CHOSEN}"]
        with _as_run_of(ds), _tagged(self.manifest, chosen or ()):
            result = self._invoke(command)
        if result.exception is not None or result.result is None:
            raise DaysliceError(one_message(result))
        return [node_result(each) for each in getattr(result.result, "results", [])]

    def compile_inline(self, sql: str, ds: str | None = None) -> str:
        """SQL that belongs to no model, its Jinja rendered for a ds. Raises UsageError as dbt words it."""
        if self.manifest is None:
            self.parse()
        self._refused = ""
        with _as_run_of(ds):
            result = self._invoke(["compile", "--inline", sql])
        # One that could not be parsed would be in the way of the next.
        for left in [each for each in self.manifest.nodes if each.startswith("sql_operation.")]:
            del self.manifest.nodes[left]
        if not result.success:
            failed = [each.message for each in getattr(result.result, "results", []) or [] if each.message]
            message = self._refused or (failed[0] if failed else one_message(result))
            raise UsageError(_INLINE.sub("", " ".join(str(message).split())))
        return str(result.result.results[0].node.compiled_code)

    def ls(self, command: list[str]) -> list[str]:
        """The unique_ids that a `dbt ls --output json --output-keys unique_id` prints. Raises UsageError."""
        result = self._invoke([*command, "--quiet"])
        if not result.success:
            raise UsageError(one_message(result))
        return [json.loads(line)["unique_id"] for line in result.result]

    def _invoke(self, command: list[str]) -> Any:
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - dbt takes two seconds to import

        where = ["--project-dir", str(self.root), "--profiles-dir", str(self.root)]
        target = ["--target", self.target] if self.target else []
        runner = dbtRunner(manifest=self.manifest, callbacks=[self._heard])
        with chdir(self.root):  # relative paths in profiles.yml are the project's
            return runner.invoke([*_ALWAYS, *command, *where, *target])

    def _heard(self, event: Any) -> None:
        if event.info.name == "ParseInlineNodeError":
            self._refused = event.data.exc
        if event.info.name == "JinjaLogWarning":
            self.warnings.append(event.data.msg)
        if self.on_node is None or event.info.name != "NodeFinished":
            return
        result = event.data.run_result
        self.on_node(NodeResult(event.data.node_info.unique_id, result.status, result.message, result.execution_time))


@contextmanager
def _tagged(manifest: Any, chosen: Collection[str]) -> Iterator[None]:
    before = {each: manifest.nodes[each].tags for each in chosen}
    for each, tags in before.items():
        manifest.nodes[each].tags = [*tags, _CHOSEN]
    try:
        yield
    finally:
        for each, tags in before.items():
            manifest.nodes[each].tags = tags


@contextmanager
def _as_run_of(ds: str | None) -> Iterator[None]:
    """The environment of a run of this ds, or of the one that is there already."""
    previous = os.environ.get("DAYSLICE_DS")
    if ds is not None:
        os.environ["DAYSLICE_DS"] = ds
    try:
        yield
    finally:
        os.environ.pop("DAYSLICE_DS", None)
        if previous is not None:
            os.environ["DAYSLICE_DS"] = previous


def forget_compiled(manifest: Any) -> None:
    """Let ephemeral models, and those that hold their SQL, be compiled anew: dbt keeps the SQL of the first ds."""
    for node in manifest.nodes.values():
        if getattr(node, "extra_ctes_injected", False):
            node.compiled, node.compiled_code, node.extra_ctes, node.extra_ctes_injected = False, None, [], False


def write_manifest(manifest: Any, path: Path) -> None:
    """Keep a parsed manifest as dbt itself keeps it between runs (msgpack)."""
    from dbt.parser.manifest import extended_mashumaro_encoder  # noqa: PLC0415

    path.write_bytes(manifest.to_msgpack(extended_mashumaro_encoder))


def read_manifest(path: Path, flat: bool = True) -> Any:
    """The inverse of `write_manifest`: a manifest that dbt can run, without a parse. `flat`: with the graph that macros
    read.
    """
    import msgpack  # noqa: PLC0415 - dbt's own
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415
    from dbt.parser.manifest import extended_msgpack_decoder  # noqa: PLC0415

    def decode(data: bytes) -> Any:
        # Unlike dbt, with keys that are no text: YAML 1.1 reads a bare `on:` as true.
        return msgpack.unpackb(data, ext_hook=extended_msgpack_decoder, raw=False, strict_map_key=False)

    manifest = Manifest.from_msgpack(path.read_bytes(), decoder=decode)
    if flat:
        manifest.build_flat_graph()
    return manifest


def node_result(result: Any) -> NodeResult:
    """dbt's own result, as ours."""
    response = result.adapter_response or {}
    return NodeResult(
        unique_id=result.node.unique_id,
        status=str(result.status),
        message=result.message or "",
        seconds=result.execution_time,
        rows=response.get("rows_affected"),
    )


def one_message(result: Any) -> str:
    """Why dbt could not run a command."""
    if result.exception is not None:
        first, _, rest = str(result.exception).strip().partition("\n")
        # "Runtime Error in operation …" says nothing to a person; "… in model week (models/week.sql)" says where.
        kept = [first] if "(" in first or not rest else []
        return "\n".join([*kept, *(line.strip() for line in rest.splitlines())])
    return "dbt did not say why it stopped: see logs/dbt.log"
