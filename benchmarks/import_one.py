"""One import in a process of its own, for benchmarks.importing: `python -m benchmarks.import_one HOME FILES TABLE`.

The connection `source` comes from the environment. The dbt project's parse, which does not grow with the table, is left
out.
"""

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from dayslice_importers.run import import_tables

from dayslice.engines.target import Target
from dayslice.rules.graph import table_node
from dayslice.runner.project import Project

DS = "2026-01-01"


def main(home: Path, files: str, table: str) -> None:
    """Import, count through the typed view's cast, publish."""
    home.mkdir(parents=True, exist_ok=True)
    target = Target("local", "duckdb", "dayslice", "analytics", home, files, home / "dayslice.duckdb", None)
    project = Project(home, target, None, {}, {}, ZoneInfo("UTC"))  # type: ignore[arg-type]
    source = {
        "unique_id": f"source.benchmark.erp.{table}",
        "resource_type": "source",
        "name": table,
        "identifier": table,
        "schema": "erp",
        "original_file_path": "models/erp.yml",
        "config": {"meta": {"connection": "source"}},
    }
    [result] = import_tables(project, [table_node({}, source)], DS, as_of_now=True)
    if result.error:
        raise result.error
    assert result.version is not None
    receipt = result.version.receipt
    print(receipt.rows, receipt.bytes, receipt.files)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
