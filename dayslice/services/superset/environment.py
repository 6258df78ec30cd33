"""Superset's own Python environment, made from a lock file in the cache folder, once a machine."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from dayslice.engines.file_lock import FileLock
from dayslice.errors import DaysliceError, UsageError
from dayslice.services.service import environment_with
from dayslice.services.stack.cache import cache_directory

HERE = Path(__file__).parent
LOCK = HERE / "requirements.txt"
BUILD = HERE / "requirements-build.txt"
SIZE = "0.9 GB on disk"
# pandas 2.1 and numpy 1.26, which Superset pins, have wheels for these.
PYTHONS = ("python3.12", "python3.11", "python3")
_FITS = "import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))"
_SOURCE_ONLY = ("odfpy", "wtforms-json")


def environment_directory() -> Path:
    """Where the environment lies, or will: a folder a lock file, so that a new lock makes a new one."""
    lock = hashlib.sha256(LOCK.read_bytes() + BUILD.read_bytes()).hexdigest()[:12]
    return cache_directory() / f"superset-{lock}"


def interpreter() -> Path:
    """The environment's Python, which may not be there yet."""
    return environment_directory() / "bin" / "python"


def made() -> bool:
    """Whether the environment is there, whole."""
    return (environment_directory() / "made").exists()


def missing_python() -> str | None:
    """What to install before the environment can be made; None if it is there, or can be."""
    if made() or _python() is not None:
        return None
    return (
        "Superset needs Python 3.11 or 3.12 with its venv module, and neither is on the PATH "
        "(Debian: apt-get install python3-venv)"
    )


def make_environment(progress: Callable[[str], None]) -> None:
    """Make the environment if it is not there: wheels with hashes. Safe for two processes at once."""
    if made():
        return
    python = _python()
    if python is None:
        raise UsageError(str(missing_python()))
    cache_directory().mkdir(parents=True, exist_ok=True)
    with FileLock(cache_directory() / "superset", wait_seconds=1800):
        if made():
            return
        target = environment_directory()
        progress(f"making Superset's own environment ({SIZE}) in {target}")
        # An environment cannot be moved: scripts and bytecode name its place. The stamp says that it is whole.
        shutil.rmtree(target, ignore_errors=True)
        _call([python, "-m", "venv", str(target)])
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as first:
            first.write(_locked("uv"))
            first.flush()
            _call([*_in(target, "-m", "pip"), "install", "--quiet", "--no-deps", *_wheels(), "-r", first.name])
        built = [option for name in _SOURCE_ONLY for option in ("--no-binary", name)]
        where = ["--build-constraints", str(BUILD), "--no-deps", "--compile-bytecode"]
        _call(
            [str(target / "bin" / "uv"), "pip", "install", "--quiet", *_wheels(), *built, *where, "-r", str(LOCK)],
            target,
        )
        (target / "made").touch()


def _python() -> str | None:
    """A Python that fits: this one, or another on the PATH."""
    for name in (sys.executable, *PYTHONS):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", _FITS], check=False, capture_output=True).returncode == 0:
            return found
    return None


def _in(target: Path, *arguments: str) -> list[str]:
    return [str(target / "bin" / "python"), *arguments]


def _wheels() -> list[str]:
    return ["--require-hashes", "--only-binary", ":all:"]


def _locked(name: str) -> str:
    """The lines of one package in the lock file, hashes and all."""
    found = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{LOCK} has no {name}"
    return found.group()


def _call(command: list[str], environment: Path | None = None) -> None:
    told = {
        "VIRTUAL_ENV": str(environment) if environment else None,
        "PYTHONDONTWRITEBYTECODE": None,
        "PYTHONPATH": None,
    }
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment_with(told))
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise DaysliceError(f"Superset's environment could not be made ({' '.join(command[:4])} …):\n{said}")
