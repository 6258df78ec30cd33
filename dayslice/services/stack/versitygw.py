"""The versitygw program: built once from the Go module proxy at a pinned version, kept in the cache folder."""

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


def _build(program: Path) -> None:
    with tempfile.TemporaryDirectory(dir=program.parent) as bin_directory:
        environment = {**os.environ, "GOBIN": bin_directory, "CGO_ENABLED": "0"}
        for attempt in range(1, _ATTEMPTS + 1):  # the module cache keeps what was downloaded, so a retry resumes
            built = subprocess.run(
                ["go", "install", MODULE], check=False, env=environment, capture_output=True, text=True
            )
            if built.returncode == 0:
                (Path(bin_directory) / "versitygw").rename(program)
                return
            time.sleep(2**attempt)
        raise DaysliceError(f"versitygw {VERSION} could not be built: {built.stderr.strip()[-500:]}")
