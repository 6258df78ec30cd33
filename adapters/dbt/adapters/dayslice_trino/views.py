"""Views on Trino: the latest one moves forward only, and those that a new column makes stale are found."""

from typing import Any

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.dayslice.jinja import for_jinja
from dbt_common.exceptions import DbtDatabaseError

from dayslice.metastore.journal import VIEW
from dayslice.rules.slices import Slice, Table

# What `latest` writes where no ds is known yet.
UNKNOWN_DS = "$ds"


class ViewAdapter(metaclass=AdapterMeta):
    """Mixed into the adapter, which runs SQL by `execute` and opens its metastore by `slice_metastore`."""

    execute: Any
    slice_metastore: Any

    @for_jinja
    def make_latest(self, schema: str, name: str, create_sql: str) -> None:
        """Make the latest view of a table, of the ds that is the newest while no other run makes it."""
        table = Table(schema, name)
        with self.slice_metastore() as catalog:
            if catalog.kind(table) is None:
                self.execute(create_sql)
                return
            with catalog.turn(Slice(table, VIEW)):
                newest = max(catalog.published_ds(table), default=UNKNOWN_DS)
                self.execute(create_sql.replace(f"'{UNKNOWN_DS}'", f"'{newest}'"))

    @for_jinja
    def stale_views(self, relation: BaseRelation) -> list[str]:
        """The views of a table that Trino reads no more: it fixes their columns, and `select *` has others by now."""
        name = str(relation.identifier).lower().replace("'", "''")
        catalog = f'"{relation.database}"'
        _, found = self.execute(
            f"select table_schema, table_name from {catalog}.information_schema.views "
            f"where strpos(lower(view_definition), '{name}') > 0 and strpos(view_definition, '*') > 0",
            fetch=True,
        )
        stale = []
        for schema, view in found.rows:
            try:
                self.execute(f'select 1 from {catalog}."{schema}"."{view}" limit 0', fetch=True)
            except DbtDatabaseError as error:
                if "stale" in str(error).lower():
                    stale.append(f"{schema}.{view}")
        return stale
