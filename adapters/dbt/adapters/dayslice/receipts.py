"""What a version's receipt says: what it was computed from, by which logic, and what is in it."""

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dbt.adapters.base.meta import AdapterMeta
from dbt.adapters.dayslice.jinja import for_jinja

from dayslice import __version__
from dayslice.errors import Refused
from dayslice.metastore.interface import Metastore
from dayslice.rules.graph import Node
from dayslice.rules.guard import ACCEPTED, FLAG, VARIABLE, losses
from dayslice.rules.logic import Logic
from dayslice.rules.receipts import (
    AUDIT_LOGIC,
    FINGERPRINT,
    FIRST_PUBLISHED,
    INPUTS,
    LOGIC,
    REPLACED,
    Fingerprint,
    Read,
    first_published,
    inputs_text,
    read_of,
)
from dayslice.rules.run_ids import run_id
from dayslice.rules.slices import Receipt, Slice, Table, Version

# How often a slice is computed whose inputs are replaced meanwhile, before somebody is told.
TRIES = 3


@dataclass(frozen=True)
class Begun:
    """What stood as a slice was begun: its inputs with their versions, and the slice itself, if it was published."""

    slice: Slice
    inputs: Mapping[Slice, Read]
    stood: Version | None
    accepted: str = ""
    """Why it is made again though it loses something by that, in a person's words."""


class WritesReceipts(metaclass=AdapterMeta):
    """Mixed into `SliceAdapter`."""

    config: Any
    connections: Any
    _macro_resolver: Any
    _logic: Logic | None = None
    fingerprint_algorithm: str
    """The engine's name for its hashes: two algorithms' cannot be compared."""

    def slice_metastore(self) -> AbstractContextManager[Metastore]:
        """The metastore of this target."""
        raise NotImplementedError

    @for_jinja
    def has_changed_inputs(self, begun: Begun, attempt: int, may_repeat: bool) -> bool:
        """Whether an input was replaced since: what was computed is then of neither version. Refuses the last try."""
        by_table: dict[Table, list[str]] = {}
        for slice in begun.inputs:
            by_table.setdefault(slice.table, []).append(slice.ds)
        found: dict[Slice, str] = {}
        with self.slice_metastore() as metastore:
            for table, slices in by_table.items():
                found |= {each.slice: each.id for each in metastore.published(table, slices).values()}
        changed = [slice for slice, read in begun.inputs.items() if found.get(slice) != read.version]
        if changed and (attempt >= TRIES or not may_repeat):
            raise Refused(
                f"{begun.slice}: {changed[0]} was replaced while it was read (try {attempt}), so nothing was "
                "published: build it again when its inputs are done"
            )
        return bool(changed)

    def look(self, sql: str) -> list[Any]:
        """The rows of a query."""
        found: list[Any] = self.connections.add_select_query(sql)[1].fetchall()
        return found

    @for_jinja
    def measured(self, sql: str, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The `rows` and the `fingerprint` of a staged version, by the query that `select_fingerprints` wrote."""
        rows, whole, *values = self.look(sql)[0]
        found = {column["name"]: _shown(value) for column, value in zip(columns, values, strict=True)}
        # Of no rows there is no sum; of other rows none where a type cannot be hashed with the others.
        known = "" if whole is None and rows else _shown(whole)
        return {"rows": int(rows), "fingerprint": Fingerprint(self.fingerprint_algorithm, known, found)}

    @for_jinja
    def receipt(
        self,
        graph: Node,
        model: Node,
        begun: Begun,
        sql: str,
        started: datetime,
        invocation_id: str,
        audited: Mapping[str, Any],
    ) -> Receipt:
        """The receipt of a staged version that passed its audits. `audited` is what `audit_slice` gave."""
        finished = datetime.now(UTC).isoformat()
        logic = self._logic_of(graph)
        stood = begun.stood.receipt if begun.stood else None
        return Receipt(
            rows=audited["rows"],
            started=started.astimezone(UTC).isoformat(),
            finished=finished,
            run=run_id(invocation_id),
            code=hashlib.sha256(sql.encode()).hexdigest()[:16],
            tool=f"dayslice {__version__}",
            more={
                "audits": audited["record"],
                INPUTS: inputs_text(begun.inputs),
                LOGIC: logic.of(model["unique_id"]),
                AUDIT_LOGIC: logic.of_audits(model["unique_id"]),
                FINGERPRINT: audited["fingerprint"].to_text(),
                FIRST_PUBLISHED: (first_published(stood) or stood.finished) if stood else finished,
                **({REPLACED: begun.stood.id} if begun.stood else {}),
                **({ACCEPTED: begun.accepted} if begun.accepted else {}),
            },
        )

    def _logic_of(self, graph: Node) -> Logic:
        """One for all nodes of a command: the tests of a project are gone through once."""
        if self._logic is None or self._logic.graph is not graph:
            variables, given = self.config.vars.to_dict(), self.config.cli_vars
            self._logic = Logic(graph, self._macro_resolver.macros, variables, os.environ, given)
        return self._logic


def begin(
    metastore: Metastore, slice: Slice, found: Mapping[Slice, Version], would_read: Collection[Slice], reason: str
) -> Begun:
    """What stands now of a slice and of its inputs, all of which were `found`.

    Refuses to replace it where that would lose what an input gave that is gone, unless a person gives a `reason`.
    """
    stood = metastore.published(slice.table, [slice.ds]).get(slice.ds)
    lost = losses(stood, would_read, found) if stood else []
    if lost and not reason:
        raise Refused(
            f"{slice} stands, and making it again would lose what it was made of; nothing was computed:\n  "
            + "\n  ".join(lost)
            + f"\nIf that is right, say why: {FLAG} 'REASON' (with dbt: {VARIABLE}='REASON')"
        )
    inputs = {each: read_of(version) for each, version in found.items()}
    return Begun(slice, inputs, stood, reason if lost else "")


def _shown(value: Any) -> str:
    """A sum of hashes as text: DuckDB's is a number, Trino's hexadecimal already."""
    return f"{value:x}" if isinstance(value, int) else str(value or "0").lower()
