"""The nouns: a table, a slice of it, one physical version of a slice, and the receipt of that version."""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

import orjson

from dayslice.errors import UsageError
from dayslice.rules.paths import checked


@dataclass(frozen=True, order=True)
class Table:
    """A table of slices. Both names are as the engine has them."""

    schema: str
    name: str

    def __post_init__(self) -> None:
        """Names become folders: one that could leave the warehouse is no table's."""
        checked(self.schema, "the schema")
        checked(self.name, "the table")

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, order=True)
class Slice:
    """The rows of one table for one ds."""

    table: Table
    ds: str

    def __post_init__(self) -> None:
        """See `Table`. A table without slices is kept as one of no ds."""
        if self.ds:
            checked(self.ds, "the ds")

    def __str__(self) -> str:
        return f"{self.table} {self.ds}"


@dataclass(frozen=True)
class Receipt:
    """What is recorded with a version. Times are ISO 8601 in UTC; sizes are bytes as they lie in the store.

    `more` holds what only some versions have (checksum, source snapshot, schema fingerprint, audits …), as text.
    """

    rows: int
    bytes: int = 0
    files: int = 0
    started: str = ""
    finished: str = ""
    run: str = ""
    code: str = ""
    tool: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def to_parameters(self) -> dict[str, str]:
        """Flat text, as a partition's parameters in a metastore hold it, under `dayslice.`."""
        own = {f.name: str(getattr(self, f.name)) for f in fields(self) if f.name != "more"}
        return {f"dayslice.{key}": value for key, value in {**self.more, **own}.items()}

    @classmethod
    def from_parameters(cls, parameters: dict[str, str]) -> "Receipt":
        """The inverse of `to_parameters`; what is not Dayslice's own is passed over."""
        # A look at a thousand tables reads half a million of them.
        own = {key[_PREFIX:]: value for key, value in parameters.items() if key[:_PREFIX] == "dayslice."}
        take = own.pop
        rows, size, files = int(take("rows", 0)), int(take("bytes", 0)), int(take("files", 0))
        started, finished = take("started", ""), take("finished", "")
        run, code, tool = take("run", ""), take("code", ""), take("tool", "")
        return cls(rows, size, files, started, finished, run, code, tool, own)

    def to_json(self) -> str:
        """The same, as one JSON object."""
        return json.dumps(self.to_parameters(), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Receipt":
        """The inverse of `to_json`."""
        return cls.from_parameters(orjson.loads(text))


_PREFIX = len("dayslice.")


@dataclass(frozen=True)
class Version:
    """One physical writing of a slice. `location` is where its files lie (a directory or s3:// prefix), or ''.

    `sequence` is the metastore's own: it numbers a slice's versions in the order in which they were first published,
    from 1, and says which of two is newer. No clock does. A version that no metastore gave has 0. `as_columns`: readers
    on Trino are shown the typed columns of this import, and not its CSV.
    """

    slice: Slice
    id: str
    receipt: Receipt
    location: str = ""
    sequence: int = field(default=0, compare=False)
    as_columns: bool = field(default=False, compare=False)

    @property
    def age(self) -> tuple[int, str]:
        """Sorts versions of one slice, the oldest first."""
        return self.sequence, self.id


@dataclass(frozen=True)
class Change:
    """What is to become of one slice: `version` is published, or, where that is None, the slice goes.

    `instead_of`: the id of what is published of it as that is decided, '' for nothing.
    """

    slice: Slice
    version: Version | None
    instead_of: str


def version_named(versions: Sequence[Version], wanted: str) -> Version:
    """The one of a slice's kept versions whose id begins so. Raises UsageError where none does, or several."""
    named = [each for each in versions if each.id.startswith(wanted)]
    if len(named) != 1:
        known = ", ".join(each.id for each in versions) or "none"
        raise UsageError(f"{len(named)} kept versions begin with {wanted!r}; kept are: {known}")
    return named[0]


def by_table(slices: Iterable[Slice]) -> dict[Table, list[str]]:
    """The ds values of each table."""
    found: dict[Table, list[str]] = {}
    for each in slices:
        found.setdefault(each.table, []).append(each.ds)
    return found


def within(ds: str) -> str:
    """A text that sorts after each label within a ds: all hours of a day begin with it."""
    return f"{ds}~"


def new_version_id(now: datetime | None = None) -> str:
    """A fresh id that sorts by time and fits in a path and in an unquoted SQL name, lower case."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return f"v{moment:%Y%m%d%H%M%S%f}_{secrets.token_hex(3)}"
