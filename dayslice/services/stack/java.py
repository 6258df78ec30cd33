"""Finds a Java that fits: `JAVA_HOME`, what lies under /usr/lib/jvm (or macOS's place for it), and the PATH."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dayslice.errors import UsageError


@dataclass(frozen=True)
class JavaNeed:
    """Who needs which Java: major versions `minimum` to `maximum`, with a module if one is named."""

    who: str
    minimum: int
    maximum: int | None = None
    module: str = ""

    def __str__(self) -> str:
        versions = f"{self.minimum} or newer" if self.maximum is None else f"{self.minimum} to {self.maximum}"
        return f"{self.who} needs Java {versions}" + (f" with the module {self.module}" if self.module else "")


# Trino's own requirement; a run-time image without the vector module (some slim ones) ends it at the first line.
TRINO = JavaNeed("Trino 476", minimum=24, module="jdk.incubator.vector")
# Hadoop 3.3 calls what Java 24 removed.
METASTORE = JavaNeed("the Hive metastore 4.0.1", minimum=17, maximum=23)


def find_java(need: JavaNeed) -> Path:
    """The `java` program that fits, the lowest version first; UsageError tells how to get one."""
    if missing := missing_java(need):
        raise UsageError(missing)
    return min(_fitting(need))[1]


def missing_java(need: JavaNeed) -> str | None:
    """What to install, in a sentence, or None if a fitting Java is there."""
    if _fitting(need):
        return None
    seen = ", ".join(f"{version} in {home}" for version, home in sorted(_found())) or "none"
    how = (
        f"Debian 12: apt-get install openjdk-{need.minimum}-jre-headless"
        if need.maximum
        else "Temurin 25 from Adoptium's packages (temurin-25-jdk), or macOS: brew install openjdk"
    )
    return f"{need}; found: {seen}. Install one ({how}) or set JAVA_HOME to it"


def _fitting(need: JavaNeed) -> list[tuple[int, Path]]:
    return [
        (version, home / "bin" / "java")
        for version, home in _found()
        if need.minimum <= version and (need.maximum is None or version <= need.maximum) and _has(home, need.module)
    ]


def _found() -> set[tuple[int, Path]]:
    homes = {home.resolve() for home in _homes() if (home / "bin" / "java").exists()}
    return {(version, home) for home in homes if (version := _version(home))}


def _homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    yield from Path("/usr/lib/jvm").glob("*")
    yield from Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home")
    yield from Path("/opt/homebrew/opt").glob("openjdk*/libexec/openjdk.jdk/Contents/Home")
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent


def _version(home: Path) -> int | None:
    """From the `release` file that every Java 9+ carries, else by asking it."""
    release = home / "release"
    text = release.read_text() if release.exists() else ""
    if 'JAVA_VERSION="' not in text:
        asked = subprocess.run([home / "bin" / "java", "-version"], check=False, capture_output=True, text=True)
        text = asked.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(found.group(1)) if found else None


def _has(home: Path, module: str) -> bool:
    if not module:
        return True
    listed = subprocess.run([home / "bin" / "java", "--list-modules"], check=False, capture_output=True, text=True)
    return re.search(rf"^{re.escape(module)}(@|$)", listed.stdout, re.MULTILINE) is not None
