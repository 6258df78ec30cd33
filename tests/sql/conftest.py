import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sql.warehouse_project import WarehouseProject


@pytest.fixture(scope="module")
def make_project(tmp_path_factory) -> Callable[[dict[str, str]], WarehouseProject]:
    """A project of given files in a folder of its own."""

    def make(files: dict[str, str]) -> WarehouseProject:
        return WarehouseProject(tmp_path_factory.mktemp("project"), files)

    return make


@pytest.fixture
def emptied() -> Callable[[WarehouseProject], WarehouseProject]:
    """The same parsed project with an empty warehouse: parsing costs seconds, a build half of one."""

    def empty(project: WarehouseProject) -> WarehouseProject:
        shutil.rmtree(project.root / "warehouse", ignore_errors=True)
        Path(project.root / "warehouse").mkdir()
        return project

    return empty
