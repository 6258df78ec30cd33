"""What is asked of an events table beside its slice: how many rows are of no day, and whether there are later ones."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg2
from psycopg2 import sql

from dayslice.errors import Refused
from dayslice.rules.settings import Kind
from dayslice_importers.connections import savepoint
from dayslice_importers.job import Prepared
from dayslice_importers.selecting import REFUSE, REPORT, later_rows, undated_of, undated_rows
from dayslice_importers.source_errors import source_error


def with_undated(lead: Any, prepared: Prepared) -> Prepared:
    """The same, with the number of rows of no day. Raises Refused where its YAML says so."""
    node = prepared.job.node
    if node.settings.kind is not Kind.EVENTS:
        return prepared
    where = undated_of(node)
    found = int(_ask(lead, prepared, undated_rows(node, prepared.table)))
    if not found or where == prepared.job.ds:
        return replace(prepared, undated=found)
    said = f"{found:,} rows of {prepared.table} have no {node.meta['on']}, or an infinite one"
    if where == REFUSE:
        raise Refused(
            f"{prepared.job.slice}: {said}, and `undated: refuse` stops at such; mend them, leave them out "
            "(row_filter), or name the ds of the slice that has them"
        )
    lies = (
        'they are in no slice; `undated: "1970-01-01"`, say, names one that has them'
        if where == REPORT
        else (f"they are in {where}")
    )
    return replace(prepared, undated=found, hint="; ".join(each for each in (prepared.hint, f"{said}: {lies}") if each))


def later_of(lead: Any, prepared: Prepared, guard: threading.Lock) -> Callable[[], bool]:
    """Asks, when it is called, whether the source has rows after the slice's period."""
    job = prepared.job

    def has_later() -> bool:
        if job.node.settings.kind is not Kind.EVENTS:
            return True
        with guard:
            return bool(_ask(lead, prepared, later_rows(job.node, prepared.table, job.ds, job.project.time_zone)))

    return has_later


def _ask(lead: Any, prepared: Prepared, question: sql.Composable) -> Any:
    try:
        with savepoint(lead), lead.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]
    except psycopg2.Error as error:
        raise source_error(prepared.job.slice, error) from None
