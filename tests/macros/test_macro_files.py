"""One macro a file, named like it, each argument documented in the YAML beside."""

import re
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner

ROOT = Path(__file__).parents[2]
MACROS = ROOT / "adapters" / "dbt" / "include" / "dayslice" / "macros"
FILES = sorted(MACROS.rglob("*.sql"))
SIGNATURE = re.compile(r"{%-? *(?:macro|materialization|test) +(\w+)(?:\((.*?)\))?", re.DOTALL)


# An engine's body of a hook of dbt's own, which dbt dispatches.
BODY_OF_DBT = "dayslice_trino__{}"


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
    name = path.stem if public else BODY_OF_DBT.format(path.stem)
    assert (public or list(signatures)) == [name]
    documents = described(path.parent)
    documented = documents.get(name) or documents[f"test_{name}"]
    arguments = [each.split("=")[0].strip() for each in signatures[name].split(",") if each.strip()]
    assert [each["name"] for each in documented.get("arguments", [])] == arguments
    assert all(each.get("description") for each in [documented, *documented.get("arguments", [])])


def test_nothing_is_documented_that_is_not_there():
    names = {name for path in FILES for name in (path.stem, f"test_{path.stem}", BODY_OF_DBT.format(path.stem))}
    for folder in {path.parent for path in FILES}:
        assert set(described(folder)) <= names


@pytest.mark.demo
def test_the_project_parses_without_a_warning(tmp_path):
    heard = []
    options = {
        "project_dir": ROOT,
        "profiles_dir": ROOT,
        "log_path": tmp_path,
        "target_path": tmp_path,
    }
    parsed = dbtRunner(callbacks=[heard.append]).invoke(
        ["parse"], **{key: str(value) for key, value in options.items()}, partial_parse=False, log_level="none"
    )
    assert parsed.success, parsed.exception
    assert [event.info.msg for event in heard if event.info.level in ("warn", "error")] == []
