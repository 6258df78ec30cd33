"""One macro a file, named like it, each argument documented in the YAML beside."""

import re
from pathlib import Path

import pytest
import yaml

MACROS = Path(__file__).parents[2] / "macros"
FILES = sorted(MACROS.rglob("*.sql"))
SIGNATURE = re.compile(r"{%-? *(?:macro|materialization|test) +(\w+)(?:\((.*?)\))?", re.DOTALL)


def described(folder: Path) -> dict[str, dict]:
    return {
        macro["name"]: macro for path in folder.glob("*.yml") for macro in yaml.safe_load(path.read_text())["macros"]
    }


def test_there_are_macros():
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_has_one_public_macro_named_like_it_and_its_arguments_are_documented(path):
    signatures = dict(SIGNATURE.findall(path.read_text()))
    public = [name for name in signatures if "__" not in name]
    if path.stem.endswith("_materialization"):
        assert public == [path.stem.removesuffix("_materialization")]
        return
    assert public == [path.stem]
    documented = described(path.parent)[path.stem]
    arguments = [each.split("=")[0].strip() for each in signatures[path.stem].split(",") if each.strip()]
    assert [each["name"] for each in documented.get("arguments", [])] == arguments
    assert all(each.get("description") for each in [documented, *documented.get("arguments", [])])


def test_nothing_is_documented_that_is_not_there():
    names = {path.stem for path in FILES}
    for folder in {path.parent for path in FILES}:
        assert set(described(folder)) <= names
