"""A small dbt project with the repository's own macros, for tests of the SQL layer on the local engine."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb

from dayslice.engines.duckdb_file import open_duckdb
from dayslice.metastore.duckdb import DuckDBMetastore
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.runner.dbt_runs import Dbt, NodeResult

REPOSITORY = Path(__file__).parents[2]


class WarehouseProject:
    """`files` are paths under models/ (or seeds/) with their text. Slices of the source are laid by `land`."""

    def __init__(self, root: Path, files: dict[str, str]):
        self.root = root
        for name in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(REPOSITORY / name, root / name)
        self.write(files)
        self.dbt = Dbt(root)
        self.database = root / "warehouse" / "dayslice.duckdb"

    @property
    def home(self) -> Path:
        """Its DAYSLICE_HOME."""
        return self.root / "warehouse"

    def write(self, files: dict[str, str]) -> None:
        """Add or change files; the project is parsed again at the next run."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.dbt = Dbt(self.root)

    def land(self, table: str, ds: str, rows: str | None, columns: str) -> None:
        """Publish a slice of source table `erp.<table>`, as an importer would. `rows` is a SELECT or values list."""
        with open_duckdb(self.database) as connection:
            connection.execute("create schema if not exists erp")
            connection.execute(f"create table if not exists erp.{table} ({columns}, ds varchar)")
            connection.execute(f"delete from erp.{table} where ds = ?", [ds])
            if rows:
                connection.execute(f"insert into erp.{table} select *, '{ds}' from ({rows})")
            count = connection.execute(f"select count(*) from erp.{table} where ds = ?", [ds]).fetchall()[0][0]
            version = Version(Slice(Table("erp", table), ds), new_version_id(), Receipt(rows=count))
            DuckDBMetastore(connection).publish(version)

    def build(self, ds: str | None, *select: str, options: Iterable[str] = ()) -> dict[str, NodeResult]:
        """dbt build; results by node name."""
        chosen = ["--select", *select] if select else []
        results = self.dbt.run(["build", *chosen, *options], ds)
        return {result.unique_id.split(".")[2]: result for result in results}

    def query(self, sql: str) -> list[tuple]:
        """Rows of the warehouse."""
        with duckdb.connect(str(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def published(self, table: str, schema: str = "analytics") -> dict[str, Version]:
        """What the metastore says of a table."""
        with open_duckdb(self.database) as connection:
            return DuckDBMetastore(connection).published(Table(schema, table))

    def staged(self) -> list[str]:
        """The stage tables that are there."""
        return [name for (name,) in self.query("select table_name from duckdb_tables() where schema_name = '_staged'")]
