"""A setting, a command or a macro that the docs do not name is missing for the reader."""

from pathlib import Path

import pytest

from dayslice.cli import COMMANDS, dayslice
from dayslice.rules.settings import IMPORT_KEYS, MODEL_KEYS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("key", MODEL_KEYS)
def test_every_setting_of_a_table_is_in_the_docs(key):
    assert f"`{key}`" in (ROOT / "docs/tables.md").read_text()


@pytest.mark.parametrize("key", IMPORT_KEYS)
def test_every_setting_of_an_import_is_in_the_docs(key):
    assert f"`{key}`" in (ROOT / "docs/importing.md").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_docs_and_has_help_with_examples(name):
    command = dayslice.get_command(None, name)
    assert f"dayslice {name}" in (ROOT / "README.md").read_text() + (ROOT / "docs/commands.md").read_text()
    assert command.help, "a command says what it does"
    assert f"dayslice {name}" in command.help, "help shows an example"


def test_every_benchmark_is_in_the_docs():
    files = [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "benchmarks").glob("*/__main__.py")]
    started = [each for each in files if '__name__ == "__main__"' in each.read_text()]
    names = {each.parent.name if each.stem == "__main__" else each.stem for each in started}
    page = (ROOT / "docs/benchmarks.md").read_text()
    assert {"runner", "size"} < names
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
