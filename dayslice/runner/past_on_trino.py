"""The warehouse on Trino as it was at a moment: what was published then is read, and what is not kept is refused.

A table is read as it is but for the slices that were others then: those are read from kept versions, by tables over
their files, which are dropped again. Views are taken apart for it; a plain table is what it is now.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any

from dayslice.engines.answers import Answer
from dayslice.engines.read_only_trino import ReadOnlyTrino, read_only_trino
from dayslice.engines.target import Target
from dayslice.errors import UsageError
from dayslice.metastore.choice import open_catalog
from dayslice.metastore.interface import Catalog
from dayslice.metastore.partitions import LANDED
from dayslice.metastore.visible import key_of
from dayslice.rules.as_of_sql import Reach, as_it_was, body_of, latest_of, reading
from dayslice.rules.diff_queries import quoted
from dayslice.rules.past import Then
from dayslice.rules.receipts import is_import
from dayslice.rules.slices import Table, Version
from dayslice.runner.past import Past, then_of
from dayslice.runner.version_rows import VersionRows, open_rows

# A table over a version takes half a second.
AT_MOST = 200


class PastOnTrino:
    """Answers as Trino does. `tell` hears how far back it is known of each table what was published."""

    def __init__(
        self, past: Past, trino: ReadOnlyTrino, rows: VersionRows, catalog: Catalog, tell: Callable[[str], None]
    ):
        self.past, self.trino, self.rows, self.catalog, self.tell = past, trino, rows, catalog, tell
        self.known: dict[Table, tuple[dict[str, Then], dict[str, Version], dict[str, list[Version]]]] = {}

    @contextmanager
    def ask(self, sql: str) -> Iterator[Answer]:
        """The answer to one SELECT. Raises UsageError for one that may read what is not kept any more."""
        statement = sql.strip().rstrip(";")
        read: dict[Table, None] = {}
        reach = Reach.of(self._one(f"explain (type io, format json) {statement}"))
        rewritten = reading(statement, self.past.target.schema, lambda table: self._relation(table, reach, read))
        for table in read:
            self.tell(self.past.how_far(key_of(table)))
        with self.trino.ask(rewritten) as answer:
            yield answer

    def _relation(self, table: Table, reach: Reach, read: dict[Table, None]) -> str | None:
        kind = self.catalog.kind(table)
        landed = Table(table.schema, table.name + LANDED)
        if kind == "slices" or (kind == "view" and self.catalog.kind(landed) == "slices"):
            read[table] = None
            return self._slices(table, landed if kind == "view" else table, reach)
        if kind != "view":
            return None
        body = body_of(self._one(f"show create view {_name(table)}"))
        latest = self._import_of(table) or latest_of(body)
        if latest is not None and self.catalog.published_ds(latest):
            read[latest] = None
            return self._latest(latest)
        return reading(body, table.schema, lambda below: self._relation(below, reach, read))

    def _import_of(self, view: Table) -> Table | None:
        """The import whose latest view this is: that reads what has landed, and not the view of it."""
        table = Table(view.schema, view.name.removesuffix("_latest"))
        is_latest = table != view and self.catalog.kind(Table(table.schema, table.name + LANDED)) == "slices"
        return table if is_latest else None

    def _slices(self, table: Table, holder: Table, reach: Reach) -> str:
        then, published, history = self._known(table)
        reached = {ds: each for ds, each in then.items() if reach.may(holder, ds)}
        if lost := sorted(ds for ds, each in reached.items() if each.is_lost):
            raise self.past.refused(key_of(table), lost)
        others = {ds: each.id for ds, each in reached.items() if each.id != published[ds].id}
        kept = {ds: next(v for v in history[ds] if v.id == id) for ds, id in others.items() if id is not None}
        if len(kept) > AT_MOST:
            raise UsageError(
                f"{table}: {len(kept)} slices were others then, and at most {AT_MOST} are read so: ask for some by a "
                "condition on ds"
            )
        return self._whole(table, sorted(others), kept)

    def _latest(self, table: Table) -> str:
        """The newest slice of then."""
        then, published, history = self._known(table)
        newest = max((ds for ds, each in then.items() if each.id), default="")
        if lost := sorted(ds for ds, each in then.items() if each.is_lost and ds > newest):
            raise self.past.refused(key_of(table), lost)
        is_same = newest and then[newest].id == published[newest].id
        kept = {newest: next(v for v in history[newest] if v.id == then[newest].id)} if newest and not is_same else {}
        where = f"ds = '{newest}'" if is_same else "false"
        return f"select * from ({self._whole(table, [], kept, f' where {where}')}) as newest"

    def _whole(self, table: Table, without: list[str], kept: dict[str, Version], where: str = "") -> str:
        name = _name(table)
        relations = {ds: self.rows.relation(each, is_import(each.receipt)) for ds, each in kept.items()}
        found = {ds: (each, self.rows.types(each)) for ds, each in relations.items()}
        source = f"(select * from {name}{where})" if where else name
        return as_it_was(source, self.rows.types(name), without, found)

    def _known(self, table: Table) -> tuple[dict[str, Then], dict[str, Version], dict[str, list[Version]]]:
        if table not in self.known:
            published, history = self.catalog.published(table), self.catalog.history(table)
            history = {ds: versions for ds, versions in history.items() if ds in published}
            then = {ds: then_of(versions, published[ds], self.past.at) for ds, versions in history.items()}
            key, since, rolled = key_of(table), self.past.since, self.past.rolled_back
            assert isinstance(since, dict) and isinstance(rolled, dict)
            since[key] = max((each.since for each in then.values()), default="")
            if count := sum(each.was_rolled_back for each in then.values()):
                rolled[key] = count
            self.known[table] = then, published, history
        return self.known[table]

    def _one(self, sql: str) -> str:
        with self.trino.ask(sql) as answer:
            return str(next(iter(answer.rows()))[0])


@contextmanager
def past_on_trino(target: Target, at: datetime, zone: tzinfo, tell: Callable[[str], None]) -> Iterator[PastOnTrino]:
    """The warehouse of a target on Trino as it was."""
    credentials: Any = target.credentials
    past = Past(target, at, zone, {}, {}, {})
    with read_only_trino(credentials) as trino, open_rows([target]) as rows, open_catalog(credentials) as catalog:
        yield PastOnTrino(past, trino, rows, catalog, tell)


def _name(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"
