"""Questions in SQL to a target's engine, which can change nothing; with the project's macros where they use any."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dayslice.engines.answers import Answer
from dayslice.engines.target import Target, time_zone_of
from dayslice.errors import UsageError
from dayslice.rules.calendar import parse_ds
from dayslice.runner.dbt_runs import Dbt

_JINJA = ("{{", "{%", "{#")
_UNKNOWN = "$ds"
"""What the macros write where a run has no ds."""


class Asked(Protocol):
    """An engine that answers."""

    def ask(self, sql: str) -> AbstractContextManager[Answer]:
        """The answer to one statement; its rows are fetched before the context ends."""
        ...


@contextmanager
def asking(
    root: Path, target: Target, as_of: datetime | None = None, tell: Callable[[str], None] = print
) -> Iterator[Asked]:
    """The engine of a target, read-only. `as_of`: what was published then, and `tell` hears how far that is known."""
    if as_of is not None and not target.is_local:
        from dayslice.runner.past_on_trino import past_on_trino  # noqa: PLC0415 - an extra

        with past_on_trino(target, as_of, time_zone_of(root), tell) as trino:
            yield trino
    elif as_of is not None:
        from dayslice.runner.fenced_duckdb import fenced_duckdb  # noqa: PLC0415
        from dayslice.runner.past import past_of  # noqa: PLC0415

        zone = time_zone_of(root)
        with past_of(target, as_of, zone) as past, fenced_duckdb(past.target, zone.key) as duckdb:
            duckdb.also_check = lambda sql: past.look(duckdb.connection, sql, tell)
            yield duckdb
    elif target.is_local:
        from dayslice.runner.fenced_duckdb import fenced_duckdb  # noqa: PLC0415 - each target needs one of the two

        with fenced_duckdb(target, time_zone_of(root).key) as duckdb:
            yield duckdb
    else:
        from dayslice.engines.read_only_trino import read_only_trino  # noqa: PLC0415 - an extra

        with read_only_trino(target.credentials) as connection:
            yield connection


class Rendering:
    """Turns SQL with Jinja into SQL. dbt starts when there is some, and parses the project once."""

    def __init__(self, root: Path, target: str | None, ds: str | None):
        self.ds = parse_ds(ds) if ds else None
        self._dbt = Dbt(root, target)

    def render(self, sql: str) -> str:
        """The SQL that the engine gets. Raises UsageError, as dbt words it, for what a person wrote wrong."""
        if not any(each in sql for each in _JINJA):
            return sql
        rendered = self._dbt.compile_inline(sql, self.ds)
        if _UNKNOWN in rendered and _UNKNOWN not in sql:
            raise UsageError("this reads the slice of a ds: say which, as in --ds 2013-01-05")
        return rendered
