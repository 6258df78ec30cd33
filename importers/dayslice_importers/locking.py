"""Locks what an import reads, so that nothing that snapshots do not survive happens to it meanwhile.

TRUNCATE, a rewrite (`alter column type`) and a swap by rename show an older snapshot an empty table, or one that it
cannot see the rows of. ACCESS SHARE, which every SELECT takes, keeps them out until the transaction ends. `lock table`
would take it before the snapshot, but needs more than grants on columns, and takes no materialized view. So a SELECT of
no rows takes it, in the snapshot that it then may be too young for; that is looked for afterwards, and the transaction
begun anew.
"""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg2

from dayslice.errors import DaysliceError, Transient
from dayslice_importers.connections import begin, savepoint, set_timeouts
from dayslice_importers.job import Job, Prepared
from dayslice_importers.source_errors import source_error

# The first one that can be right is the second: see `settle`.
ATTEMPTS = 10
# All relations of a person's that the transaction holds, those below views, partitions and children among them; and
# whether one of them was made, or written anew, since its snapshot.
HELD = """
select
    coalesce(array_agg(l.relation::bigint order by l.relation), '{}'),
    coalesce(
        bool_or(
            c.oid is null
            or c.relfilenode <> 0 and c.relfilenode is distinct from pg_relation_filenode(l.relation)
        ),
        false
    )
from pg_locks l
left join pg_class c on c.oid = l.relation
where
    l.pid = pg_backend_pid()
    and l.locktype = 'relation'
    and l.mode = 'AccessShareLock'
    and l.relation::bigint >= 16384
"""


def lock_statement(select: str) -> str:
    """Takes the locks that a SELECT takes, and reads nothing."""
    return f"{select} limit 0"


def settle(
    lead: Any,
    jobs: Sequence[Job],
    prepare: Callable[[Job], Prepared],
    failed: Callable[[Job, DaysliceError], None],
) -> list[Prepared]:
    """Prepare jobs in one snapshot in which all that they read is locked and whole.

    It is that if the transaction before this one, younger than whose locks the snapshot is, held the same relations,
    and none of them was written anew since: two attempts at least. A job that fails is left out.
    """
    left, before = list(jobs), None
    try:
        for _ in range(ATTEMPTS):
            found: list[Prepared] = []
            for job in list(left):
                try:
                    with savepoint(lead):
                        set_timeouts(lead, job.node.meta)
                        prepared = prepare(job)
                        _lock(lead, prepared)
                    found.append(prepared)
                except DaysliceError as error:
                    left.remove(job)
                    failed(job, error)
                except psycopg2.Error as error:
                    left.remove(job)
                    failed(job, source_error(job.slice, error))
            with lead.cursor() as cursor:
                cursor.execute(HELD)
                held, is_stale = cursor.fetchone()
            if not left or (held == before and not is_stale):
                return found
            before = held
            lead.rollback()
            begin(lead)
    except psycopg2.Error as error:
        for job in left:
            failed(job, source_error(job.slice, error))
        return []
    for job in left:
        failed(job, Transient(f"{job.slice}: its source is being swapped or truncated all the time: try again later"))
    return []


def _lock(lead: Any, prepared: Prepared) -> None:
    with lead.cursor() as cursor:
        for select in prepared.selects[:1]:
            cursor.execute(lock_statement(select.as_string(lead)))
