"""What a table is in PostgreSQL: columns, types, comments and keys, from its catalogs (pg_attribute, pg_type)."""

import contextlib
from dataclasses import dataclass
from typing import Any

import psycopg2

from dayslice.errors import UsageError
from dayslice.rules.publications import Source

# Arrays, enums, composites, ranges and multiranges: many types of one kind, all carried as PostgreSQL prints them.
COMPOSED = "ecrm"
REPLICA = "replica"


@dataclass(frozen=True)
class SourceColumn:
    """A column. `declared` is its type as a person writes it; `type` the base type's name, domains resolved: a bare one
    is PostgreSQL's own, or an extension's that is known."""

    name: str
    declared: str
    type: str
    is_composed: bool
    precision: int | None
    scale: int
    not_null: bool
    comment: str | None
    readable: bool


@dataclass(frozen=True)
class SourceSize:
    """The heap of a table and of all below it (partitions, children): bytes, and blocks of the largest.

    `blocks` is 0 where there is none to be divided: a view, a foreign table among them, or columns that were granted.
    """

    bytes: int
    blocks: int


@dataclass(frozen=True)
class ForeignKey:
    """A key of one column: each of its values is in column `field` of another table, or of the same."""

    column: str
    schema: str
    table: str
    field: str


@dataclass(frozen=True)
class SourceTable:
    """A table, view, materialized view, foreign or partitioned table (`kind` as pg_class.relkind says).

    `rows` is what PostgreSQL's statistics estimate, 0 where they do not know.
    """

    schema: str
    name: str
    kind: str
    comment: str | None
    primary_key: tuple[str, ...]
    rows: int
    columns: tuple[SourceColumn, ...]
    size: "SourceSize"
    foreign_keys: tuple[ForeignKey, ...] = ()

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


TABLE = """
select
    c.oid,
    c.relkind,
    obj_description(c.oid, 'pg_class'),
    coalesce(
        (
            select array_agg(a.attname::text order by k.position)
            from pg_index i
            cross join unnest(i.indkey) with ordinality as k (attnum, position)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
            where i.indrelid = c.oid and i.indisprimary
        ),
        array[]::text[]
    ),
    has_table_privilege(c.oid, 'select')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relname = %s and c.relkind in ('r', 'v', 'm', 'f', 'p')
"""
COLUMNS = """
with recursive base as (
    select a.attnum, a.atttypid as type_id, a.atttypmod as modifier
    from pg_attribute a
    where a.attrelid = %(oid)s and a.attnum > 0 and not a.attisdropped
    union all
    select base.attnum, t.typbasetype, t.typtypmod
    from base
    join pg_type t on t.oid = base.type_id
    where t.typtype = 'd'
)
select
    a.attname,
    format_type(a.atttypid, a.atttypmod),
    -- Anybody may have a type of the name of one of PostgreSQL's.
    case
        when t.typnamespace = 'pg_catalog'::regnamespace or x.extname is not null then t.typname
        else n.nspname || '.' || t.typname
    end,
    t.typtype in ('e', 'c', 'r', 'm') or exists (select from pg_type e where e.typarray = t.oid),
    case when t.oid = 'numeric'::regtype and base.modifier > 0 then ((base.modifier - 4) >> 16) & 65535 end,
    -- The scale is 11 bits, signed.
    case
        when t.oid = 'numeric'::regtype and base.modifier > 0 then (((base.modifier - 4) & 2047) # 1024) - 1024
        else 0
    end,
    a.attnotnull,
    col_description(a.attrelid, a.attnum),
    has_column_privilege(a.attrelid, a.attnum, 'select')
from pg_attribute a
join base on base.attnum = a.attnum
join pg_type t on t.oid = base.type_id and t.typtype <> 'd'
join pg_namespace n on n.oid = t.typnamespace
left join pg_depend d on d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
left join pg_extension x on x.oid = d.refobjid and x.extname = t.typname and x.extname in ('citext', 'hstore')
where a.attrelid = %(oid)s and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""

FOREIGN_KEYS = """
select a.attname, n.nspname, r.relname, f.attname
from pg_constraint k
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
join pg_class r on r.oid = k.confrelid
join pg_namespace n on n.oid = r.relnamespace
join pg_attribute f on f.attrelid = k.confrelid and f.attnum = k.confkey[1]
left join pg_constraint p on p.oid = k.conparentid
where
    k.conrelid = %(oid)s
    and k.contype = 'f'
    and cardinality(k.conkey) = 1
    -- A key to a partitioned table has one more to each partition.
    and p.conrelid is distinct from k.conrelid
order by a.attnum, n.nspname, r.relname
"""
SIZE = """
with recursive below as (
    select %(oid)s::oid as oid
    union
    select i.inhrelid
    from pg_inherits i
    join below on below.oid = i.inhparent
)
select
    coalesce(sum(pg_relation_size(c.oid)), 0)::bigint,
    case
        when bool_or(c.relkind not in ('r', 'm', 'p')) then 0
        else coalesce(max(pg_relation_size(c.oid)) / current_setting('block_size')::int, 0)
    end::bigint,
    coalesce(sum(greatest(c.reltuples, 0)) filter (where c.relkind <> 'p'), 0)::bigint
from below
join pg_class c on c.oid = below.oid
"""
ELSEWHERE = """
select
    (
        select array_agg(n.nspname::text order by n.nspname)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where
            c.relname = %s
            and c.relkind in ('r', 'v', 'm', 'f', 'p')
            and has_schema_privilege(n.oid, 'usage')
    ),
    (
        select array_agg(nspname::text order by nspname)
        from pg_namespace
        where nspname not like 'pg\\_%%' and nspname <> 'information_schema' and has_schema_privilege(oid, 'usage')
    ),
    exists (select from pg_namespace where nspname = %s)
"""
NAMES = """
select c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend e on e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
where
    n.nspname = %s
    and c.relkind in ('r', 'v', 'm', 'f', 'p')
    and not c.relispartition
    -- Those that an extension brought are its own.
    and e.objid is null
    and has_any_column_privilege(c.oid, 'select')
order by c.relname
"""
INDEXED = """
select exists (
    select
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    join pg_class c on c.oid = i.indrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = %s and c.relname = %s and a.attname = %s
)
"""


def discover(connection: Any, schema: str, name: str) -> SourceTable:
    """Read a table's definition. Raises UsageError if there is none by that name.

    Types are named with their schemas whatever the session's search_path is, which one that reads the rows may need.
    """
    with connection.cursor() as cursor:
        cursor.execute("savepoint names; set local search_path = ''")
        try:
            return _discover(cursor, schema, name)
        finally:
            with contextlib.suppress(psycopg2.Error):
                cursor.execute("rollback to savepoint names; release savepoint names")


def _discover(cursor: Any, schema: str, name: str) -> SourceTable:
    cursor.execute(TABLE, (schema, name))
    found = cursor.fetchone()
    if found is None:
        raise UsageError(
            f"there is no table {schema}.{name} in the source database, or no right to see it"
            f"{_else(cursor, schema, name)}"
        )
    oid, kind, comment, key, whole = found
    cursor.execute(COLUMNS, {"oid": oid})
    columns = tuple(SourceColumn(*row) for row in cursor.fetchall())
    cursor.execute(SIZE, {"oid": oid})
    size, blocks, rows = cursor.fetchone()
    cursor.execute(FOREIGN_KEYS, {"oid": oid})
    foreign = tuple(ForeignKey(*row) for row in cursor.fetchall())
    # The place of a row, by which a table is divided, is no column that a right can be granted to.
    measure = SourceSize(size, blocks if whole else 0)
    return SourceTable(schema, name, kind, comment, tuple(key), rows, columns, measure, foreign)


def _else(cursor: Any, schema: str, name: str) -> str:
    """Where a table that is not there may be meant to be."""
    cursor.execute(ELSEWHERE, (name, schema))
    places, schemas, is_schema = cursor.fetchone()
    if places:
        return f"; there is {', '.join(f'{place}.{name}' for place in places)} (source_schema)"
    return "" if is_schema else f"; there is no schema {schema} either, but {', '.join(schemas)}"


def table_names(connection: Any, schema: str) -> list[str]:
    """The tables, views and the like of a schema that the connection's user may read, partitions apart.

    Raises UsageError for a schema that is not there.
    """
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE, (None, schema))
        _, schemas, is_schema = cursor.fetchone()
        if not is_schema:
            raise UsageError(f"there is no schema {schema} in the source database, but {', '.join(schemas)}")
        cursor.execute(NAMES, (schema,))
        return [name for (name,) in cursor.fetchall()]


def is_indexed(connection: Any, table: SourceTable, column: str) -> bool:
    """Whether an index begins with a column."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXED, (table.schema, table.name, column))
        return bool(cursor.fetchone()[0])


def named_source(connection: Any, table: SourceTable) -> Source:
    """What others call a table: by where the server is, and not by who logs in. A socket is this machine's."""
    link = connection.info
    host = "localhost" if not link.host or link.host.startswith("/") else link.host
    return Source(f"postgres://{host}:{link.port}", f"{link.dbname}.{table.schema}.{table.name}")


def snapshot(connection: Any) -> dict[str, str]:
    """The instant that the transaction reads: snapshot id, the LSN where it may be asked, and the encoding."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_current_snapshot()::text, pg_is_in_recovery(), current_setting('server_encoding')")
        taken, replica, encoding = cursor.fetchone()
        function = "pg_last_wal_replay_lsn" if replica else "pg_current_wal_lsn"
        try:
            cursor.execute("savepoint lsn")
            cursor.execute(f"select {function}()::text")
            lsn = cursor.fetchone()[0] or ""
        except psycopg2.Error:
            cursor.execute("rollback to savepoint lsn")
            lsn = ""
        # A snapshot can be exported from a whole transaction only.
        cursor.execute("release savepoint lsn")
    return {
        "source_snapshot": taken,
        "source_lsn": lsn,
        "source_encoding": encoding,
        "source_role": REPLICA if replica else "primary",
    }
