"""A warehouse that imports land in, without a dbt project around it: nodes are made as dbt's graph would give them."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dayslice_importers.run import ImportResult, import_tables

from dayslice.engines.target import Target
from dayslice.rules.graph import TableNode, table_node
from dayslice.rules.slices import Slice, Version
from dayslice.runner.project import Project
from dayslice.store.duckdb_s3 import read_s3
from tests.local_files import metastore_of, readers

DS = "2013-01-05"


class Warehouse:
    """Imports tables of the connection `source` and reads them back through the typed views."""

    def __init__(self, home: Path, files: str | None = None, zone: str = "UTC"):
        self.home = home
        self.files = files or str(home / "landing")
        target = Target("local", "duckdb", "dayslice", "analytics", home, self.files, home / "dayslice.duckdb", None)
        self.project = Project(home, target, None, {}, {}, ZoneInfo(zone))  # type: ignore[arg-type]

    def node(self, name: str, **meta: Any) -> TableNode:
        """An import named `erp.<name>`, as its YAML would declare it."""
        return table_node(
            {},
            {
                "unique_id": f"source.test.erp.{name}",
                "resource_type": "source",
                "name": name,
                "identifier": name,
                "schema": "erp",
                "original_file_path": "models/erp.yml",
                "config": {"meta": {"connection": "source", **meta}},
            },
        )

    def run(self, *nodes: TableNode, ds: str = DS, as_of_now: bool = True, **options: Any) -> dict[str, ImportResult]:
        """Import; results by table."""
        results = import_tables(self.project, nodes, ds, as_of_now=as_of_now, **options)
        return {result.table.table.name: result for result in results if result.ds == ds}

    def land(self, name: str, ds: str = DS, accept: bool = False, **meta: Any) -> Version:
        """Import one table, which must succeed."""
        result = self.run(self.node(name, **meta), ds=ds, accept=accept)[name]
        if result.error is not None:
            raise result.error
        assert result.version is not None
        return result.version

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with readers(self.home, self.files) as connection:
            read_s3(connection, self.files)
            return connection.execute(sql).fetchall()

    def published(self, name: str) -> dict[str, Version]:
        """The published versions of an import."""
        with metastore_of(self.home) as metastore:
            return metastore.published(self.node(name).table)

    def versions(self, name: str, ds: str = DS) -> list[Version]:
        """All kept versions of a slice."""
        with metastore_of(self.home) as metastore:
            return metastore.versions(Slice(self.node(name).table, ds))

    def landed(self) -> list[str]:
        """The version folders that lie in the landing directory, published or not."""
        return sorted(str(path.relative_to(self.files)) for path in Path(self.files).glob("*/*/v*"))
