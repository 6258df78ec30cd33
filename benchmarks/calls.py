"""What one slice on Trino asks of the services: calls of the metastore, requests of the store, by kind.

    python -m benchmarks.calls [--slices 1 10 100]

Starts a stack of its own (temporary, on free ports) whose metastore and S3 server tell of each call; builds a table
that reads another, at several lengths of its history, and queries one ds of it. What Trino asks and what Dayslice asks
is counted together: both are paid for. `docs/scale.md` reckons with these counts.
"""

import argparse
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.table import Table as Shown

from benchmarks.ten_way_join import project
from benchmarks.trino_tables import Server
from dayslice.rules.calendar import span
from dayslice.services.stack import hive_metastore
from dayslice.services.stack.machine import Ports, Stack

MODELS = {
    "orders": "select n as orderkey, n % 7 as kind, cast('a' as varchar) as customer "
    "from unnest(sequence(1, 10000)) as t (n)",
    "counts": "select kind as orderkey, customer, count(*) as orders from {{ slice('orders') }} group by 1, 2",
}
_AUDIT = "\nlogger.audit.name = org.apache.hadoop.hive.metastore.HiveMetaStore.audit\nlogger.audit.level = info\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--slices", type=int, nargs="+", default=[1, 10, 100])
    lengths = options.parse_args().slices
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        with telling(root / "requests"):
            stack = Stack(root / "stack", Ports.free())
            try:
                stack.up(lambda _: None)
                measured = measure(root, stack, lengths)
            finally:
                stack.down(lambda _: None)
    kinds = sorted(
        {kind for counts in measured.values() for kind in counts}, key=lambda kind: (kind.startswith("S3"), kind)
    )
    shown = Shown("", *measured, box=None)
    for kind in kinds:
        shown.add_row(kind, *(str(counts[kind] or "") for counts in measured.values()))
    Console(width=130).print(shown)


def telling(requests: Path):  # type: ignore[no-untyped-def]
    """The services that are started in this write down each call."""
    configure = hive_metastore.HiveMetastore.configure

    def with_audit(self: hive_metastore.HiveMetastore) -> None:
        configure(self)
        file = self.directory / "conf" / "log4j2.properties"
        file.write_text(file.read_text() + _AUDIT)

    os.environ["VGW_ACCESS_LOG"] = str(requests)
    return mock.patch.object(hive_metastore.HiveMetastore, "configure", with_audit)


def measure(root: Path, stack: Stack, lengths: list[int]) -> dict[str, Counter[str]]:
    """Calls by kind, of each thing that is done."""
    os.environ.update(stack.environment())
    server = Server.from_environment()
    (root / "project").mkdir()
    dbt = project(root / "project", "trino", MODELS)
    days = span("2013-01-01", "2013-12-31")
    counted: dict[str, Counter[str]] = {}
    done = 0
    for length in lengths:
        for ds in days[done : length + 1]:
            assert not [each for each in dbt.run(["build", "--select", "orders"], ds) if each.failed]
        for ds in days[done:length]:
            assert not [each for each in dbt.run(["build", "--select", "counts"], ds) if each.failed]
        before = calls(root)
        results = dbt.run(["build", "--select", "counts"], days[length])
        assert not [each for each in results if each.failed], results
        counted[f"a slice after {length}"] = calls(root) - before
        done = length + 1
    [counts] = [node for node in dbt.manifest.nodes.values() if node.name == "counts"]
    before = calls(root)
    server.run(f"select count(*) from {counts.schema}.{counts.alias} where ds = '{days[0]}'")
    counted["a query of one ds"] = calls(root) - before
    return counted


def calls(root: Path) -> Counter[str]:
    """All so far."""
    told = (root / "stack" / "metastore" / "log").read_text()
    asked = Counter(f"metastore {name}" for name in re.findall(r"\bcmd=source:\S+ (\w+)", told))
    file = root / "requests"
    kinds = re.findall(r" s3_(\w+)", file.read_text()) if file.exists() else []
    return asked + Counter(f"S3 {each}" for each in kinds)


if __name__ == "__main__":
    main()
