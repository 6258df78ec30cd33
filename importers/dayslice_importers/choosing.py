"""Which table of a source to begin with, where nobody says: one that is whole in a moment."""

from typing import Any

import psycopg2

from dayslice.errors import UsageError
from dayslice_importers.discovery import SourceTable, discover
from dayslice_importers.source_errors import source_error

# One with a key before one without, and of those that are quickly there, the one with the most to see.
TABLES = """
select
    n.nspname,
    c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where
    c.relkind in ('r', 'p', 'm', 'v')
    and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname not like 'pg\\_%'
    and c.relname ~ '^[a-z][a-z0-9_]*$'
    and not c.relispartition
    and has_schema_privilege(n.oid, 'usage')
    and has_table_privilege(c.oid, 'select')
order by
    exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) desc,
    c.relkind in ('m', 'v'),
    c.reltuples > 100000,
    case when c.reltuples > 100000 then -c.reltuples else c.reltuples end desc,
    c.relname
limit 20
"""


def first_table(session: Any, name: str) -> SourceTable:
    """A table that connection `name` may read. Raises UsageError where there is none."""
    try:
        with session.cursor() as cursor:
            cursor.execute(TABLES)
            found = cursor.fetchall()
    except psycopg2.Error as error:
        raise source_error(f"connection {name!r}", error) from None
    for schema, table in found:
        whole = discover(session, schema, table)
        if any(column.readable for column in whole.columns):
            return whole
    raise UsageError(
        f"connection {name!r}: its user may read no table with a plain name (small letters, digits and _): "
        "grant select on one, or begin without --source"
    )
