"""Carries out a plan: imports by the importers, models and what follows them by one dbt build a ds.

Ends with what became of each slice.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dayslice.engines.target import staged_in
from dayslice.errors import DaysliceError
from dayslice.metastore.choice import open_metastore
from dayslice.rules.followers import Follower
from dayslice.rules.graph import Node, TableNode, find, is_audit, is_latest, is_slices
from dayslice.rules.plan import Plan, Step
from dayslice.rules.reading import is_ephemeral
from dayslice.rules.reasons import DOWNSTREAM
from dayslice.rules.settings import LATEST_KEY
from dayslice.rules.stale import Key
from dayslice.runner.dbt_runs import NodeResult
from dayslice.runner.judging import unchanged
from dayslice.runner.project import Project

if TYPE_CHECKING:
    from dayslice.runner.imports import ImportResult


PUBLISHED = "published"
KEPT = "kept"
STAGED = "staged"


@dataclass(frozen=True)
class Outcome:
    """What became of one slice. `status`: published, staged (to be published with others), kept (what it would be made
    of is what it was made of), failed, or skipped (something before it failed).

    `message`: why it is not there, or what its audits warned of.
    """

    table: str
    ds: str
    status: str
    message: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the slice is not there."""
        return self.status not in (PUBLISHED, KEPT, STAGED)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


Listener = Callable[[Outcome], None]


def run_plan(
    project: Project,
    plan: Plan,
    heard: Listener,
    as_of_now: bool = False,
    before: Callable[[Step], bool] = lambda step: True,
    prepared: Iterable[str] = (),
) -> list[Outcome]:
    """Run the steps in order. A failed slice stops what depends on it, nothing else.

    `heard` is told of each slice when it is done. `as_of_now`: take cumulative imports for a past ds. `before` is
    called ahead of each step, and ends the run where it says no. `prepared`: what models read that is made already.
    """
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        heard(outcome)

    made_before = set(prepared)
    for step in plan.steps:
        if not before(step):
            break
        if step.imports:
            _import(project, step, tell, as_of_now)
        for layer in layers(step, plan.reasons):
            kept = _kept(project, plan, layer, tell)
            if (layer.models or layer.followers) and not (kept and len(kept) == len(layer.models)):
                _build(project, without(layer, kept), tell, made_before)
    return outcomes


def layers(step: Step, reasons: Mapping[Key, str]) -> list[Step]:
    """A step in parts, where what is made downstream of others of the same step may turn out to be needless.

    What reads others of the step by its reason alone comes a part after them; followers come with the last part.
    """
    level: dict[str, int] = {}
    for node in step.models:
        above = [level[wait.upstream] for wait in node.waits if wait.upstream in level]
        later = reasons.get((node.unique_id, step.ds), "").startswith(DOWNSTREAM)
        level[node.unique_id] = max(above, default=-later) + later
    found = []
    for number in range(max(level.values(), default=0) + 1):
        models = tuple(node for node in step.models if level[node.unique_id] == number)
        found.append(Step(step.ds, models=models))
    return [*found[:-1], replace(found[-1], followers=step.followers)]


def without(step: Step, kept: Collection[str]) -> Step:
    """A step less some models, and less the followers that read nothing else of it."""
    return replace(step, models=tuple(node for node in step.models if node.unique_id not in kept))


def _kept(project: Project, plan: Plan, step: Step, tell: Listener) -> set[str]:
    """The models of a step that need not be made again: what they read was made anew with the content that it had."""
    asked = [node for node in step.models if plan.reasons.get((node.unique_id, step.ds), "").startswith(DOWNSTREAM)]
    found = unchanged(project, asked, step.ds) if asked else set()
    for node in asked:
        if node.unique_id in found:
            tell(Outcome(node.name, step.ds, KEPT))
    return found


def _import(project: Project, step: Step, tell: Listener, as_of_now: bool) -> None:
    from dayslice.runner.imports import import_tables  # noqa: PLC0415 - psycopg2 and the engines, only when needed

    import_tables(
        project,
        step.imports,
        step.ds,
        as_of_now=as_of_now,
        progress=lambda result: tell(outcome_of_import(result)),
    )


def outcome_of_import(result: "ImportResult") -> Outcome:
    """An import's result as what became of its slice."""
    status = "published" if result.error is None else "failed"
    return Outcome(result.table.name, result.ds, status, str(result.error or result.hint), result.seconds)


def _build(project: Project, step: Step, tell: Listener, prepared: set[str]) -> None:
    models = {node.unique_id: node for node in step.models}
    followers = {each.unique_id: each for each in _ready(project, step, tell)}
    made: dict[str, TableNode | Follower] = {**models, **followers}
    if not made:
        return
    before = [each for each in preparations(project.graph, made) if each not in prepared and each not in followers]
    prepared.update(each for each in before if is_made_once(project.graph, each))
    told: set[str] = set()

    def on_node(result: NodeResult) -> None:
        if result.unique_id in made:
            told.add(result.unique_id)
            node = made[result.unique_id]
            # As audit_slice.sql words it: dbt does not say which node warns.
            warnings = [each for each in project.dbt.warnings if each.startswith(f"{node.name} {step.ds}, audit ")]
            tell(outcome_of(node, step.ds, result, warnings))

    project.dbt.on_node = on_node
    try:
        chosen = to_build(project.graph, models, before, followers, with_latest=staged_in() is None)
        results = project.dbt.run(["build", "--no-write-json"], step.ds, chosen)
    except DaysliceError as error:
        for unique_id, node in made.items():
            if unique_id not in told:
                tell(Outcome(node.name, step.ds, "failed", str(error)))
        return
    finally:
        project.dbt.on_node = None
    for result in results:
        if result.failed and result.unique_id not in made:
            tell(Outcome(result.unique_id.split(".")[2], step.ds, "failed", result.message, result.seconds))


def make_before(project: Project, unique_ids: Iterable[str], ds: str, tell: Listener) -> None:
    """Make what models read that is no table of slices; `tell` hears of what failed."""
    chosen = list(unique_ids)
    try:
        results = project.dbt.run(["build", "--no-write-json"], ds, chosen)
    except DaysliceError as error:
        tell(Outcome(chosen[0].split(".")[2], ds, "failed", str(error)))
        return
    for result in results:
        if result.failed:
            tell(Outcome(result.unique_id.split(".")[2], ds, "failed", result.message, result.seconds))


def _ready(project: Project, step: Step, tell: Listener) -> list[Follower]:
    """The followers of a step that can be made: each table that they read has a slice, or gets one in this step."""
    if not step.followers:
        return []
    asked = dict.fromkeys(table for each in step.followers for table in each.reads if table not in step.tables)
    with open_metastore(project.target) as metastore:
        empty = [table for table in asked if not metastore.published_ds(project.tables[table].table)]
    found = []
    for each in step.followers:
        if missing := [project.tables[table].name for table in each.reads if table in empty]:
            said = f"{each.name} reads {', '.join(missing)}, of which no slice is published yet"
            tell(Outcome(each.name, step.ds, "failed", said))
        else:
            found.append(each)
    return found


def to_build(
    graph: Node,
    models: Iterable[str],
    before: Iterable[str],
    followers: Iterable[str] = (),
    with_latest: bool = True,
) -> set[str]:
    """The nodes of one dbt build: models with their latest views, what follows them, and those tests that were no
    audits already.
    """
    chosen = set(models)
    views = latest_views(graph, chosen) if with_latest else []
    built = {*chosen, *views, *before}
    tests = {unique_id for unique_id, each in graph["nodes"].items() if _is_left(graph, each, built)}
    return {*built, *followers, *tests, *tests_of(graph, followers)}


def tests_of(graph: Node, followers: Iterable[str]) -> list[str]:
    """The tests that read followers."""
    chosen = set(followers)
    tests = (node for node in graph["nodes"].values() if node["resource_type"] == "test")
    return [test["unique_id"] for test in tests if chosen & set(test["depends_on"]["nodes"])]


def latest_views(graph: Node, models: set[str]) -> list[str]:
    """The `_latest` views of models."""
    return [
        unique_id
        for unique_id, node in graph["nodes"].items()
        if node["resource_type"] == "model"
        and LATEST_KEY in node["config"]["meta"]
        and models & set(node["depends_on"]["nodes"])
    ]


def preparations(graph: Node, models: Iterable[str]) -> list[str]:
    """What nodes read that is no table of slices: seeds, views, tables, incremental models, snapshots."""
    found: dict[str, None] = {}
    todo = [each for model in models for each in find(graph, model)["depends_on"]["nodes"]]
    while todo:
        node = find(graph, todo.pop())
        if is_slices(node) or node["resource_type"] not in ("seed", "model", "snapshot"):
            continue
        if not is_ephemeral(node) and not is_latest(node):
            found[node["unique_id"]] = None
        if not is_latest(node):
            todo += node["depends_on"].get("nodes", [])  # a seed has none
    return list(found)


def is_made_once(graph: Node, unique_id: str) -> bool:
    """Whether something that models read need not be made again for each ds: a seed; a view, which holds no rows."""
    node = find(graph, unique_id)
    return node["resource_type"] == "seed" or bool(node["config"]["materialized"] == "view")


def outcome_of(node: TableNode | Follower, ds: str, result: NodeResult, warnings: Iterable[str] = ()) -> Outcome:
    """dbt's result of a model as what became of its slice, with what its audits warned of."""
    if result.failed:
        # dbt's first line only says where; the sentence comes after it.
        lines = result.message.split("\n", 1)
        return Outcome(node.name, ds, "failed", lines[-1].strip(), result.seconds)
    status = "skipped" if result.status == "skipped" else "published"
    message = "\n".join(warnings) if status == "published" else "not built"
    return Outcome(node.name, ds, status, message, result.seconds)


def _is_left(graph: Node, node: Node, built: set[str]) -> bool:
    """Whether a test of what is built was no audit, so that it has to run after publication."""
    if node["resource_type"] != "test":
        return False
    parents = set(node["depends_on"]["nodes"])
    there = bool(parents & built) and all(each.startswith("source.") or each in built for each in parents)
    return there and not is_audit(graph, node)
