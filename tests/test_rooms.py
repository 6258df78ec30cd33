"""The arrows of the source tree: who may import whom, also inside functions and for types only."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = {
    "dayslice": REPOSITORY / "dayslice",
    "dayslice_importers": REPOSITORY / "importers" / "dayslice_importers",
    "dayslice_airflow": REPOSITORY / "airflow" / "dayslice_airflow",
    "dbt.adapters": REPOSITORY / "adapters" / "dbt" / "adapters",
}
# The floors, from below; a room may import those of lower floors. Rooms of one floor do not know each other.
FLOORS = [
    {"dayslice", "dayslice.errors", "dayslice.console"},
    {"dayslice.rules", "dayslice.store"},
    {"dayslice.engines"},
    {"dayslice.metastore", "dayslice.services"},
    {"dayslice.runner"},
    {"dayslice.orchestration", "dayslice.demo", "dayslice.starter"},
    {"dayslice.commands", "dayslice.cli", "dayslice.__main__"},
]
BELOW = {room: set().union(*FLOORS[:floor]) for floor, rooms in enumerate(FLOORS) for room in rooms}
LIBRARIES = FLOORS[0] | FLOORS[1] | FLOORS[2] | {"dayslice.metastore"}
IMPORTERS, AIRFLOW, ADAPTERS = "dayslice_importers", "dayslice_airflow", "dbt.adapters"
ALLOWED: dict[str, set[str]] = {
    **BELOW,
    "dayslice.__main__": {"dayslice.cli"},
    # What the command line says of any error, and the prompt of `dayslice sql`.
    "dayslice.faults": {"dayslice.errors"},
    "dayslice.cli": BELOW["dayslice.cli"] | {"dayslice.faults"},
    **{room: BELOW[room] | {IMPORTERS} for room in ("dayslice.runner", "dayslice.orchestration", "dayslice.commands")},
    "dayslice.commands": BELOW["dayslice.commands"] | {IMPORTERS, "dayslice.faults"},
    IMPORTERS: LIBRARIES,
    ADAPTERS: LIBRARIES,
    # Cosmos runs dbt in the task's own process, so that the task sees what the adapter refused.
    AIRFLOW: LIBRARIES | {"dayslice.runner", "dayslice.orchestration", ADAPTERS},
}


def modules() -> dict[str, Path]:
    """Every module of the product by its name."""
    found = {}
    for package, folder in PACKAGES.items():
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = file
    return found


MODULES = modules()


def imported(package: str, text: str) -> Iterator[str]:
    """What a module's text imports, wherever it stands in it, as the module that it takes it from."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            place = ".".join(part for part in (above, node.module) if part)
            for alias in node.names:
                full = f"{place}.{alias.name}"
                yield full if full in MODULES else place


def room_of(name: str) -> str | None:
    """The room of a module; None for one that is not the product's."""
    for package in (IMPORTERS, AIRFLOW):
        if name == package or name.startswith(f"{package}."):
            return package
    if name.startswith(f"{ADAPTERS}.dayslice"):
        return ADAPTERS
    if name == "dayslice" or name.startswith("dayslice."):
        return ".".join(name.split(".")[:2])
    return None


def package_of(module: str) -> str:
    """The package that a module's relative imports start from."""
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


ARROWS = {
    module: sorted(set(imported(package_of(module), file.read_text(encoding="utf-8"))))
    for module, file in MODULES.items()
}


def test_all_of_the_product_is_looked_at():
    rooms = {room_of(module) for module in MODULES}
    assert rooms == ALLOWED.keys()
    assert len(MODULES) > 100


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_lies_below_it(room):
    wrong = [
        f"{module} imports {target}"
        for module, arrows in ARROWS.items()
        for target in arrows
        if room_of(module) == room and room_of(target) not in {None, room, *ALLOWED[room]}
    ]
    assert not wrong


def test_only_its_own_package_knows_airflow():
    foreign = ("airflow", "cosmos", "airflow_shared")
    wrong = [
        f"{module} imports {target}"
        for module, arrows in ARROWS.items()
        for target in arrows
        if target.split(".")[0] in foreign and room_of(module) != AIRFLOW
    ]
    assert not wrong


def test_no_module_is_needed_by_what_it_needs():
    ours = {module: {target for target in arrows if target in MODULES} for module, arrows in ARROWS.items()}
    try:
        TopologicalSorter(ours).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_an_import_is_seen_wherever_it_stands():
    text = """
import dayslice.cli
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from dayslice.runner import runs
def compute():
    from dayslice.demo.source import Source
    from dayslice import errors
    from . import plan
"""
    wanted = {"dayslice.cli", "dayslice.runner.runs", "dayslice.demo.source", "dayslice.errors", "dayslice.rules.plan"}
    assert wanted <= set(imported("dayslice.rules", text))
