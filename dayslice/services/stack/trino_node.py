"""What each process of Trino is started with, coordinator and worker alike."""

import re
from collections.abc import Mapping
from pathlib import Path

from dayslice.errors import UsageError
from dayslice.services.service import LOOPBACK
from dayslice.services.stack.java import TRINO, find_java
from dayslice.services.stack.objectstore import REGION, ObjectStore
from dayslice.services.stack.packages import trino_directory

BUCKET = "exchange"
_LEAST_MIB = 1024


def command_of(directory: Path, node: str, heap: str) -> list[str]:
    """The program of a node whose configuration lies in a directory."""
    etc = directory / "etc"
    return [
        *(str(find_java(TRINO)), f"-Xmx{heap}", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError"),
        *("-XX:ReservedCodeCacheSize=256M", "-Djdk.attach.allowAttachSelf=true"),
        # As in the jvm.config of Trino's own documentation.
        *("--add-modules=jdk.incubator.vector", "-XX:PerMethodRecompilationCutoff=10000"),
        *("-XX:PerBytecodeRecompilationCutoff=10000", "-XX:+UnlockDiagnosticVMOptions"),
        *("-Dnode.environment=dayslice", f"-Dnode.id={node}", f"-Dnode.data-dir={directory / 'data'}"),
        *(f"-Dnode.bind-ip={LOOPBACK}", f"-Dnode.internal-address={LOOPBACK}"),
        *(f"-Dconfig={etc / 'config.properties'}", f"-Dlog.levels-file={etc / 'log.properties'}"),
        *("-cp", f"{trino_directory() / 'lib'}/*", "io.trino.server.TrinoServer"),
    ]


def write_node(directory: Path, heap: str, own: Mapping[str, str]) -> None:
    """Write a node's configuration: its own, and what all have."""
    (directory / "etc").mkdir(parents=True, exist_ok=True)
    (directory / "data").mkdir(exist_ok=True)
    mib = heap_mib(heap)
    common = {
        "plugin.dir": str(trino_directory() / "plugin"),
        "query.max-memory-per-node": f"{mib * 6 // 10}MB",
        "memory.heap-headroom-per-node": f"{mib // 4}MB",
        # Not used until a session says `spill_enabled`.
        "spiller-spill-path": str(directory / "spill"),
    }
    write_properties(directory / "etc" / "config.properties", {**own, **common})
    write_properties(directory / "etc" / "log.properties", {"io.trino": "INFO"})


def write_exchange(directory: Path, store: ObjectStore) -> None:
    """Where tasks leave what others read, in a bucket of its own. Trino reads this file by its place."""
    write_properties(
        directory / "etc" / "exchange-manager.properties",
        {
            "exchange-manager.name": "filesystem",
            "exchange.base-directories": f"s3://{BUCKET}",
            "exchange.s3.endpoint": store.endpoint,
            "exchange.s3.region": REGION,
            "exchange.s3.path-style-access": "true",
            "exchange.s3.aws-access-key": "${ENV:AWS_ACCESS_KEY_ID}",
            "exchange.s3.aws-secret-key": "${ENV:AWS_SECRET_ACCESS_KEY}",
        },
    )


def s3_of(store: ObjectStore) -> dict[str, str]:
    """How a catalog reaches the store; its secret comes from the process's environment."""
    return {
        "fs.native-s3.enabled": "true",
        "s3.endpoint": store.endpoint,
        "s3.region": REGION,
        "s3.path-style-access": "true",
        "s3.aws-access-key": "${ENV:AWS_ACCESS_KEY_ID}",
        "s3.aws-secret-key": "${ENV:AWS_SECRET_ACCESS_KEY}",
    }


def heap_mib(heap: str) -> int:
    """A heap as Java takes it, `3G` or `2048m`, in MiB. UsageError if it is none, or less than Trino needs."""
    found = re.fullmatch(r"(\d+)([gm])", heap.lower())
    mib = int(found[1]) * (1024 if found[2] == "g" else 1) if found else 0
    if mib < _LEAST_MIB:
        raise UsageError(f"heap {heap!r}: a number with G or M, at least {_LEAST_MIB}M, as in 3G")
    return mib


def write_properties(file: Path, properties: Mapping[str, str]) -> None:
    """A file of Java's properties."""
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
