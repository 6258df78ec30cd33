"""What a parsed project depends on: its files, the packages and macros that are installed, and the environment.

All of it goes into one stamp, so that what was once derived from a project is known to hold still. Contents are read
each time, not times of change: two thousand small files take a tenth of a second, and a changed one is always seen.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dayslice.errors import UsageError

# dbt's own settings of where a project's files are, with their defaults.
_PATHS = {
    "model-paths": ["models"],
    "macro-paths": ["macros"],
    "seed-paths": ["seeds"],
    "test-paths": ["tests"],
    "snapshot-paths": ["snapshots"],
    "analysis-paths": ["analyses"],
    "docs-paths": [],
}
PROJECT_FILES = ("dbt_project.yml", "profiles.yml", "packages.yml", "selectors.yml")
# What decides a parse without being a part of the project to carry along.
_BESIDE = ("dependencies.yml", "package-lock.yml", "vars.yml", ".dbtignore")
_READ = (".sql", ".yml", ".yaml", ".md", ".py")
_NAMED = (".csv",)
_PACKAGES = ("dbt", "dayslice")
_OWN = Path(__file__).parents[1]
_ENV_VAR = re.compile(rb"""env_var\(\s*['"](\w+)['"]""")
# The ds of a run: macros ask for it while they run, never while the project is parsed.
_NOT_PARSED = {"DAYSLICE_DS"}
_ROUNDS = 20_000


def project_paths(root: Path) -> list[Path]:
    """The files and folders that make up a dbt project, relative to its root."""
    raw = read_project_file(root)
    named = [Path(each) for key, default in _PATHS.items() for each in raw.get(key, default)]
    wanted = [*named, *(Path(each) for each in (*PROJECT_FILES, raw.get("packages-install-path")) if each)]
    return [each for each in dict.fromkeys([*wanted, Path("dbt_packages")]) if (root / each).exists()]


def watched_paths(root: Path) -> list[str]:
    """Where files of a project are or could appear, relative to its root."""
    raw = read_project_file(root)
    named = [str(each) for key, default in _PATHS.items() for each in raw.get(key, default)]
    installed = str(raw.get("packages-install-path") or "dbt_packages")
    return list(dict.fromkeys([*PROJECT_FILES, *_BESIDE, *named, installed]))


def read_project_file(root: Path) -> dict[str, Any]:
    """What dbt_project.yml says, before Jinja. Raises UsageError as dbt words it."""
    from dbt.config.project import load_raw_project  # noqa: PLC0415 - dbt takes a second to import
    from dbt_common.exceptions import DbtBaseException  # noqa: PLC0415

    try:
        found: dict[str, Any] = load_raw_project(str(root))
    except DbtBaseException as error:
        raise UsageError(f"dbt_project.yml: {' '.join(str(error).split())}") from None
    return found


def stamp_of_files(root: Path, watched: Iterable[str]) -> str:
    """A hash of all that decides what a parse finds, but for the environment. Raises OSError for a file that goes."""
    digest = hashlib.blake2b(digest_size=16)
    for path in watched:
        for file in _files(root / path):
            content = b"" if file.endswith(_NAMED) else _content(file)
            digest.update(f"{file[len(str(root)) :]}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
            digest.update(content)
    for line in _installed():
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def variables_in(root: Path, watched: Iterable[str]) -> set[str]:
    """The environment variables that a project's files name."""
    files = (file for path in watched for file in _files(root / path) if not file.endswith(_NAMED))
    return {name.decode() for file in files for name in _ENV_VAR.findall(_content(file))}


def stamp_of_environment(names: Iterable[str], salt: str, environment: Mapping[str, str] | None = None) -> str:
    """A hash of the values of these variables, and of dbt's own, that gives none of them away.

    Secrets are among them, so it is salted and slow: whoever has the stamp cannot try passwords against it cheaply.
    """
    given = os.environ if environment is None else environment
    wanted = {*names, "DAYSLICE_HOME", *(name for name in given if name.startswith("DBT_"))} - _NOT_PARSED
    text = "\0".join(f"{name}={given[name]}" if name in given else name for name in sorted(wanted))
    return hashlib.pbkdf2_hmac("sha256", text.encode("utf-8", "surrogateescape"), salt.encode(), _ROUNDS).hex()


def _files(path: Path) -> Iterator[str]:
    """A file, or all of a folder's that dbt reads, in order."""
    if path.is_file():
        yield str(path)
    for folder, folders, names in os.walk(path, followlinks=True):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__pycache__")))
        yield from (f"{folder}{os.sep}{name}" for name in sorted(names) if name.endswith((*_READ, *_NAMED)))


def _content(file: str) -> bytes:
    with open(file, "rb", buffering=0) as opened:  # noqa: PTH123 - thousands of them: a Path each costs as much again
        return opened.read()


def _installed() -> Iterator[str]:
    """The packages that take part in a parse, our own macros, and the rules that read its result."""
    for entry in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(entry or "."))  # noqa: PTH208
        except OSError:
            continue
        yield from (name for name in names if name.startswith(_PACKAGES) and name.endswith("-info"))
        if "dbt" in names:
            for file in _files(Path(entry) / "dbt" / "include" / "dayslice"):
                yield f"{file}\0{hashlib.blake2b(_content(file)).hexdigest()}"
    for room in ("rules", "runner"):
        for file in _files(_OWN / room):
            known = os.stat(file)  # noqa: PTH116
            yield f"{file}\0{known.st_mtime_ns}\0{known.st_size}"
