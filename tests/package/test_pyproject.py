"""What the package says of itself: one version, ranges that hold what is tested, no name that could be anybody's."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

import dayslice

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_there_is_one_version_number():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", dayslice.__version__)
    for file in (ROOT / "dbt_project.yml", ROOT / "adapters/dbt/include/dayslice/dbt_project.yml"):
        assert "version" not in yaml.safe_load(file.read_text())
    assert f"## {dayslice.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_ranges_begin_at_the_versions_that_the_tests_run_with():
    project = PROJECT["project"]
    ranges = [Requirement(each) for each in project["dependencies"]]
    ranges += [Requirement(each) for extra in project["optional-dependencies"].values() for each in extra]
    pins = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==([\d.]+)", (ROOT / "requirements.in").read_text(), re.M))
    for each in ranges:
        assert each.name in pins, f"{each.name} is not in requirements.in"
        bounds = {bound.operator: bound.version for bound in each.specifier}
        assert bounds.keys() == {">=", "<"}, f"{each}: from the tested version up to one that may break"
        assert bounds[">="] == pins[each.name], f"{each.name} is tested with {pins[each.name]}"
        assert pins[each.name] in each.specifier


def test_the_licence_is_a_file():
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license-files"] == ["LICENSE"]
