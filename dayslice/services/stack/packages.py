"""Trino and the Hive metastore, from Maven Central at pinned versions, kept in the cache folder."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dayslice.engines.file_lock import FileLock
from dayslice.errors import DaysliceError, UsageError
from dayslice.services.stack.cache import cache_directory

TRINO_VERSION = "476"
HIVE_VERSION = "4.0.1"
HADOOP_VERSION = "3.3.6"
POSTGRES_DRIVER_VERSION = "42.7.7"
# Trino's tarball holds 50 connectors; these are the ones the stack's catalogs use.
TRINO_PLUGINS = ("hive", "iceberg", "tpch", "memory")
# Where tasks leave what others read, so that a task can be tried again: only a stack with workers has it.
EXCHANGE = "exchange-filesystem"
_ATTEMPTS = 4
SUMS = Path(__file__).with_suffix(".sha256")

_JARS = (
    f"org.apache.hive:hive-standalone-metastore-server:{HIVE_VERSION}",
    f"org.apache.hadoop:hadoop-common:{HADOOP_VERSION}",
    f"org.apache.hadoop:hadoop-aws:{HADOOP_VERSION}",
    f"org.apache.hadoop:hadoop-mapreduce-client-core:{HADOOP_VERSION}",
    f"org.apache.hadoop:hadoop-hdfs:{HADOOP_VERSION}",
    f"org.apache.hadoop:hadoop-hdfs-client:{HADOOP_VERSION}",
    f"org.postgresql:postgresql:{POSTGRES_DRIVER_VERSION}",
)


def trino_directory() -> Path:
    """Where Trino lies, or will: `lib` and `plugin`."""
    return cache_directory() / f"trino-server-{TRINO_VERSION}"


def metastore_jars() -> Path:
    """Where the metastore's jars lie, or will."""
    return cache_directory() / f"hive-metastore-{HIVE_VERSION}"


def missing_maven() -> str | None:
    """What to install before a download, or None if nothing is to be downloaded or Maven is there."""
    if downloaded() or shutil.which("mvn"):
        return None
    return "Trino and the Hive metastore are downloaded with Maven, and no `mvn` is on the PATH: " + (
        "install Maven 3.6 or newer (Debian: apt-get install maven; macOS: brew install maven)"
    )


def downloaded() -> bool:
    """Whether both are there, whole."""
    return trino_directory().exists() and metastore_jars().exists()


def install_packages(progress: Callable[[str], None]) -> None:
    """Download what is not there yet: 1.3 GB in all. Resumed after an interruption; safe for two processes at once."""
    if downloaded():
        return
    if missing := missing_maven():
        raise UsageError(missing)
    cache_directory().mkdir(parents=True, exist_ok=True)
    lock = FileLock(cache_directory() / "packages", wait_seconds=1800)
    lock.acquire()
    try:
        if not metastore_jars().exists():
            progress(f"downloading the Hive metastore {HIVE_VERSION} (450 MB)")
            _into(metastore_jars(), _download_metastore)
        if not trino_directory().exists():
            progress(f"downloading Trino {TRINO_VERSION} (821 MB)")
            _into(trino_directory(), _download_trino)
    finally:
        lock.release()


def install_exchange(progress: Callable[[str], None]) -> None:
    """The plugin that tasks which are tried again need, where the cache is of a version that left it out."""
    place = trino_directory() / "plugin" / EXCHANGE
    if place.exists():
        return
    if not shutil.which("mvn"):
        raise UsageError(f"Trino's plugin {EXCHANGE} comes out of its tarball with Maven, and no `mvn` is on the PATH")
    lock = FileLock(cache_directory() / "packages", wait_seconds=1800)
    lock.acquire()
    try:
        if not place.exists():
            progress(f"unpacking {EXCHANGE} (821 MB are downloaded where Maven has forgotten them)")
            with _unpacked_trino(cache_directory()) as unpacked:
                (unpacked / "plugin" / EXCHANGE).rename(place)
    finally:
        lock.release()


def check_packages(directory: Path, expected: Mapping[str, str]) -> None:
    """Refuse files that are not, by name and SHA-256, those that the repository lists. No host is asked for sums."""
    found = {file.name: sha256(file) for file in directory.iterdir()}
    wrong = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    if wrong:
        raise DaysliceError(
            f"{len(wrong)} of the downloaded files are not those that this version of Dayslice knows, and nothing was "
            f"installed: {', '.join(wrong[:5])}. Delete them from ~/.m2/repository and try again; if it stays so, "
            "something stands between you and Maven Central"
        )


def sha256(file: Path) -> str:
    """A file's sum."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def known_sums() -> dict[str, str]:
    """The SHA-256 of each file that is downloaded, by its name, as `sha256sum` writes them."""
    lines = SUMS.read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def _into(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a directory beside the target and rename it, so that a directory that is there is whole."""
    work = Path(tempfile.mkdtemp(prefix=".download-", dir=target.parent))
    try:
        fill(work)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download_metastore(target: Path) -> None:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in (jar.split(":") for jar in _JARS)
    )
    with tempfile.TemporaryDirectory() as directory:
        pom = Path(directory) / "pom.xml"
        pom.write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>dayslice</groupId><artifactId>metastore</artifactId><version>1</version>"
            f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
        )
        _maven(
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
            f"-f={pom}",
            f"-DoutputDirectory={target}",
            "-DincludeScope=runtime",
            # One binding of slf4j is enough; with three, which of them logs is a matter of chance.
            "-DexcludeArtifactIds=slf4j-log4j12,slf4j-reload4j,log4j,reload4j",
        )
    check_packages(target, {name: digest for name, digest in known_sums().items() if name.endswith(".jar")})


def _download_trino(target: Path) -> None:
    with _unpacked_trino(target.parent) as unpacked:
        (target / "plugin").mkdir()
        (unpacked / "lib").rename(target / "lib")
        for name in (*TRINO_PLUGINS, EXCHANGE):
            (unpacked / "plugin" / name).rename(target / "plugin" / name)


@contextmanager
def _unpacked_trino(beside: Path) -> Iterator[Path]:
    """All of the tarball for a while: jars that several plugins share are hard links among them."""
    with tempfile.TemporaryDirectory(dir=beside) as directory:
        _maven(
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
            f"-Dartifact=io.trino:trino-server:{TRINO_VERSION}:tar.gz",
            f"-DoutputDirectory={directory}",
        )
        check_packages(Path(directory), {name: digest for name, digest in known_sums().items() if ".tar." in name})
        with tarfile.open(next(Path(directory).glob("*.tar.gz"))) as tar:
            tar.extractall(directory, filter="data")
        yield Path(directory) / f"trino-server-{TRINO_VERSION}"


def _maven(*arguments: str) -> None:
    for attempt in range(1, _ATTEMPTS + 1):  # Maven keeps and resumes what it has of a file
        done = subprocess.run(
            ["mvn", "--batch-mode", "--quiet", *arguments], check=False, capture_output=True, text=True
        )
        if done.returncode == 0:
            return
        time.sleep(2**attempt)
    raise DaysliceError(f"Maven could not download {arguments[1]}: {done.stdout.strip()[-800:]}")
