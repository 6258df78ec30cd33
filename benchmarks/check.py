"""`dayslice check --against HEAD` of one changed model among many, warm: the project was parsed before the change.

Run: python -m benchmarks.check [--tables 500]. Each table reads the one before it in a chain of ten and has an audit.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown

from benchmarks.measure import Measured, measure

ROOT = Path(__file__).parents[1]
SOURCES = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders, columns: [{name: id}, {name: amount}]}]
"""
MODEL = "select id, amount, {number} as number from {{{{ {reads} }}}}\n"
YAML = "models:\n  - {{name: {name}, columns: [{{name: id, data_tests: [not_null]}}, {{name: amount}}]}}\n"


def main() -> None:
    """The first run parses both; then one model loses a column that its reader has."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tables", type=int, default=500)
    tables = options.parse_args().tables
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, tables)
        shown = Shown("what", "seconds", "of computing")
        row(shown, "the first check --against", check(root))
        row(shown, "nothing changed", check(root))
        (root / "models/t5.sql").write_text(MODEL.format(number=7, reads="ref('t4')"))
        row(shown, "one model changed", check(root))
        (root / "models/t5.sql").write_text(MODEL.format(number=8, reads="ref('t4')"))
        row(shown, "one model changed again", check(root))
    Console().print(shown)


def check(root: Path) -> Measured:
    """One run in a process of its own."""
    return measure([sys.executable, "-m", "dayslice", "check", "--against", "HEAD"], cwd=root)


def row(shown: Shown, what: str, found: Measured) -> None:
    """A line of the result."""
    shown.add_row(what, f"{found.wall:.1f}", f"{found.cpu:.1f}")


def write(root: Path, tables: int) -> None:
    """A project of so many models, committed."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, root / name)
    (root / ".gitignore").write_text("target/\nlogs/\nwarehouse/\n")
    (root / "models").mkdir()
    (root / "models/erp.yml").write_text(SOURCES)
    for number in range(tables):
        reads = f"ref('t{number - 1}')" if number % 10 else "source('erp', 'orders')"
        (root / f"models/t{number}.sql").write_text(MODEL.format(number=number, reads=reads))
        (root / f"models/t{number}.yml").write_text(YAML.format(name=f"t{number}"))
    identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=root, check=True)


if __name__ == "__main__":
    main()
