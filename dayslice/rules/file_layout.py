"""How the files of a table on Trino are written: format, buckets, order within a bucket. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dayslice.errors import UsageError

FORMATS = ("ORC", "PARQUET")
BUCKETS = 16
# What Trino 476 spreads over buckets; it refuses the rest ("Cannot create a table bucketed on an unsupported type").
_BUCKETED = re.compile(r"(boolean|tinyint|smallint|integer|bigint|real|double|varchar|date|array|map)\b")


@dataclass(frozen=True)
class Classes:
    """A format, in the words of Hive and Glue."""

    input: str
    output: str
    serde: str


ORC = Classes(*(f"org.apache.hadoop.hive.ql.io.orc.Orc{each}" for each in ("InputFormat", "OutputFormat", "Serde")))


@dataclass(frozen=True)
class FileLayout:
    """`sorted_by` has a column's name, or `name desc`. All names are lower case, as the metastore has them."""

    format: str = FORMATS[0]
    bucketed_by: tuple[str, ...] = ()
    bucket_count: int = 0
    sorted_by: tuple[str, ...] = ()

    @classmethod
    def parse(cls, meta: Mapping[str, Any]) -> "FileLayout":
        """From a table's `meta`. Raises UsageError, whose text begins with the key that is wrong."""
        written = str(meta.get("format") or FORMATS[0]).upper()
        if written not in FORMATS:
            raise UsageError(f"format: {meta['format']!r} is not known: write {' or '.join(FORMATS)}")
        buckets = _names(meta, "bucketed_by")
        order = tuple(_without_asc(each) for each in _names(meta, "sorted_by"))
        if order and not buckets:
            raise UsageError("sorted_by: Trino sorts within buckets only: say bucketed_by too")
        count = meta.get("bucket_count", BUCKETS if buckets else 0)
        if isinstance(count, bool) or not isinstance(count, int) or (buckets and not 0 < count <= 1_000_000):
            raise UsageError(f"bucket_count: {count!r} is no number of buckets: write one from 1 on, such as {BUCKETS}")
        if count and not buckets:
            raise UsageError("bucket_count: there is nothing to count without bucketed_by")
        return cls(written, buckets, count, order)

    @classmethod
    def stored(cls, output_format: str, buckets: Sequence[str], count: int, order: Sequence[str]) -> "FileLayout":
        """As a metastore has it: the output format's class, and what it says of buckets (`count` is -1 for none)."""
        name = output_format.rpartition(".")[2].lower()
        known = next((each for each in FORMATS if each.lower() in name), output_format)
        names = tuple(each.lower() for each in buckets)
        return cls(known, names, count if names else 0, tuple(each.lower() for each in order) if names else ())

    def __str__(self) -> str:
        text = self.format
        if self.bucketed_by:
            text += f", bucketed by {', '.join(self.bucketed_by)} into {self.bucket_count}"
        return text + (f", sorted by {', '.join(self.sorted_by)}" if self.sorted_by else "")

    def check_columns(self, types: Mapping[str, str]) -> None:
        """Refuse columns that the table has not, and ones that Trino cannot bucket by. `types` by lower-case name."""
        for key, names in (("bucketed_by", self.bucketed_by), ("sorted_by", self.sorted_by)):
            for name in (each.removesuffix(" desc") for each in names):
                if name not in types:
                    raise UsageError(f"{key}: the SELECT has no column {name!r}; it has {_listed(types)}")
        for name in self.bucketed_by:
            if not _BUCKETED.match(types[name]):
                raise UsageError(f"bucketed_by: Trino cannot bucket by {name}, which is of type {types[name]}")


def _names(meta: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = meta.get(key) or ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) and each.strip() for each in names):
        raise UsageError(f"{key}: {value!r} is no column: write a name, or a list of names")
    return tuple(" ".join(each.lower().split()) for each in names)


def _without_asc(column: str) -> str:
    return column.removesuffix(" asc")


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
