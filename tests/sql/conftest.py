import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sql.trino_project import TrinoProject
from tests.sql.warehouse_project import WarehouseProject, begin_with_parsed_macros


@pytest.fixture(scope="module")
def engine() -> str:
    """The engine of a module's project. A module that promises the same on both overrides this with `ENGINES`."""
    return "local"


@pytest.fixture(scope="module")
def make_project(tmp_path_factory, engine, request) -> Iterator[Callable[[dict[str, str]], WarehouseProject]]:
    """A project of given files in a folder of its own."""

    def make(files: dict[str, str]) -> WarehouseProject:
        if engine == "local":
            return WarehouseProject(tmp_path_factory.mktemp("project"), files)
        project = TrinoProject(tmp_path_factory.mktemp("project"), files, request.getfixturevalue("stack"))
        for name, value in project.environment.items():
            environment.setenv(name, value)
        begin_with_parsed_macros(project.root, project.target)
        return project

    with pytest.MonkeyPatch.context() as environment:
        yield make


@pytest.fixture(scope="module")
def emptied() -> Callable[[WarehouseProject], WarehouseProject]:
    """The same parsed project with an empty warehouse: parsing costs seconds, a build half of one."""

    def empty(project: WarehouseProject) -> WarehouseProject:
        if isinstance(project, TrinoProject):
            project.empty()
            return project
        shutil.rmtree(project.root / "warehouse", ignore_errors=True)
        Path(project.root / "warehouse").mkdir()
        return project

    return empty
