"""The versitygw program: built once from the Go module proxy at a pinned version, kept in the cache folder."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from dayslice.engines.file_lock import FileLock
from dayslice.errors import DaysliceError, UsageError
from dayslice.services.stack.cache import cache_directory

VERSION = "1.8.0"
# Of the module's source, with the sums of all that it needs: what `go mod download -json` says.
SUM = "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc="
MODULE = f"github.com/versity/versitygw/cmd/versitygw@v{VERSION}"
_ATTEMPTS = 4


def versitygw_path() -> Path:
    """Where the program lies, or will."""
    return cache_directory() / f"versitygw-{VERSION}" / "versitygw"


def missing_for_versitygw() -> str | None:
    """What a person has to install before the program can be had, or None."""
    if versitygw_path().exists() or shutil.which("go"):
        return None
    return (
        f"the S3 server (versitygw {VERSION}) is built with Go, and no `go` is on the PATH: "
        "install Go 1.24 or newer (Debian: apt-get install golang-go from backports; macOS: brew install go)"
    )


def install_versitygw() -> Path:
    """The program, built now if it is not there (about two minutes). Safe for two processes at once."""
    program = versitygw_path()
    if program.exists():
        return program
    if missing := missing_for_versitygw():
        raise UsageError(missing)
    program.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(program, wait_seconds=900)
    lock.acquire()
    try:
        if not program.exists():
            _build(program)
    finally:
        lock.release()
    return program


def check_source(told: str) -> None:
    """Refuse another source than the one that this version of Dayslice knows. `told`: what Go says of its download."""
    found = json.loads(told).get("Sum")
    if found != SUM:
        raise DaysliceError(
            f"the source of versitygw {VERSION} has the sum {found}, and not {SUM}: nothing was installed. "
            "Something stands between you and the Go module proxy"
        )


def _build(program: Path) -> None:
    with tempfile.TemporaryDirectory(dir=program.parent) as bin_directory:
        environment = {**os.environ, "GOBIN": bin_directory, "CGO_ENABLED": "0"}
        for attempt in range(1, _ATTEMPTS + 1):  # the module cache keeps what was downloaded, so a retry resumes
            built = subprocess.run(
                ["go", "install", MODULE], check=False, env=environment, capture_output=True, text=True
            )
            if built.returncode == 0:
                told = ["go", "mod", "download", "-json", f"github.com/versity/versitygw@v{VERSION}"]
                check_source(subprocess.run(told, check=True, capture_output=True, text=True).stdout)
                (Path(bin_directory) / "versitygw").rename(program)
                return
            time.sleep(2**attempt)
        raise DaysliceError(f"versitygw {VERSION} could not be built: {built.stderr.strip()[-500:]}")
