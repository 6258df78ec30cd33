"""The SELECT that reads versions of a table from their files: a model's Parquet, an import's typed columns or its CSV.

Versions with the same columns are one scan. Their columns are those of all versions of the table that stand, so that
a slice from before a column was added has NULL there.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from dayslice.engines.landed_csv import as_text, decoded, ds_of_file, file_list, quoted, scan_versions, slice_options
from dayslice.errors import UsageError
from dayslice.rules.receipts import is_import
from dayslice.rules.slices import Version

# Each holds all values of those before it, exactly.
WIDENING = ("smallint", "integer", "bigint")
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)", re.IGNORECASE)
# What Parquet cannot hold as it is, and how it is written instead; it is read back with a cast.
_WRITTEN_AS = {
    "HUGEINT": "DECIMAL(38,0)",
    "UHUGEINT": "DECIMAL(38,0)",
    "INTERVAL": "VARCHAR",
    "TIME WITH TIME ZONE": "VARCHAR",
    "BIT": "VARCHAR",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
}
_NOT_INSIDE = re.compile(r"\b(HUGEINT|UHUGEINT|INTERVAL|TIME WITH TIME ZONE|BIT|TIMESTAMP_S|TIMESTAMP_MS|UNION)\b")


def stored_type(table: str, column: str, type: str) -> str:
    """The type in which a column of DuckDB's type is written to Parquet. Raises UsageError for one that cannot be."""
    if type.startswith("ENUM("):
        return "VARCHAR"
    if type in _WRITTEN_AS:
        return _WRITTEN_AS[type]
    if found := _NOT_INSIDE.search(type):
        raise UsageError(f"{table}: column {column} is of type {type}, and files cannot hold {found[1]} in it: cast it")
    return type


def shared_type(first: str, second: str) -> str:
    """The type of a column that had two, one after the other: the wider one, or else text."""
    if first == second:
        return first
    if first in WIDENING and second in WIDENING:
        return max(first, second, key=WIDENING.index)
    if {first, second} == {"real", "double"}:
        return "double"
    decimals = [_DECIMAL.fullmatch(each) for each in (first, second)]
    if decimals[0] and decimals[1]:
        whole = max(int(each[1]) - int(each[2]) for each in decimals if each)
        scale = max(int(each[2]) for each in decimals if each)
        if whole + scale <= 38:
            return f"decimal({whole + scale},{scale})"
    return "varchar"


def view_types(schemas: Sequence[Sequence[Sequence[str]]]) -> dict[str, str]:
    """The type of each column over versions with these columns, in the order in which they first come."""
    found: dict[str, str] = {}
    for columns in schemas:
        for column in columns:
            kind = _type(column)
            found[column[0]] = shared_type(found.get(column[0], kind), kind)
    return found


def table_types(schemas: Sequence[str]) -> dict[str, str]:
    """The columns of a table, less ds, by the receipts' `columns` of its versions, newest first.

    An import's newest columns say the order; a model's keep the places that they had first.
    """
    parsed = [json.loads(each) for each in schemas]
    imported = bool(parsed and parsed[0] and len(parsed[0][0]) > 2)
    return view_types(parsed if imported else parsed[::-1])


def select_versions(versions: Sequence[Version], types: Mapping[str, str]) -> str:
    """Typed rows of versions of one table of slices; `types` are the table's columns, ds comes last."""
    if not versions:
        return select_nothing(types)
    ordered = sorted(versions, key=lambda each: (*_alike(each, types), each.slice.ds))
    groups = [list(group) for _, group in groupby(ordered, lambda each: _alike(each, types))]
    return "\nunion all\n".join(_select_alike(group, types) for group in groups)


def select_content(version: Version, types: Mapping[str, str]) -> str:
    """The rows of a table without slices."""
    scan = f"read_parquet({file_list(files_of(version))}, hive_partitioning = false)"
    return f"select {', '.join(_parquet_values(version, types))} from {scan}"


def select_nothing(types: Mapping[str, str]) -> str:
    """No rows of a table of slices."""
    nulls = [f"cast(null as {type}) as {quoted(name)}" for name, type in types.items()]
    return f"select {', '.join([*nulls, 'cast(null as varchar) as ds'])} where false"


def files_of(version: Version) -> list[str]:
    """The files that hold a version's rows for readers."""
    if typed := version.receipt.more.get("typed"):
        place = typed_location(version.location)
        return [f"{place}/{name}" for name in json.loads(typed)]
    return [f"{version.location}/{name}" for name in json.loads(version.receipt.more["parts"])]


def typed_location(location: str) -> str:
    """Where the typed columns of an import's version lie, beside its CSV."""
    version, _, slice = location.rpartition("/")
    return f"{version}/columns/{slice}"


def _type(column: Sequence[str]) -> str:
    return column[3] if len(column) > 2 else column[1]


def has_columns(version: Version, types: Mapping[str, str]) -> bool:
    """Whether a version is read from typed files: an import's is not where a column's type has changed since."""
    more = version.receipt.more
    if not is_import(version.receipt):
        return True
    return "typed" in more and all(_is_exact(_type(c), types[c[0]]) for c in json.loads(more["columns"]))


def _alike(version: Version, types: Mapping[str, str]) -> tuple[str, bool]:
    return version.receipt.more["columns"], has_columns(version, types)


def _is_exact(own: str, wanted: str) -> bool:
    # From the text, of a column that was widened otherwise: 0.1 of real is 0.1 of double, on every engine.
    return (
        own == wanted
        or (own in WIDENING and wanted in WIDENING)
        or (bool(_DECIMAL.match(own + wanted)) and bool(_DECIMAL.fullmatch(wanted)))
    )


def _select_alike(versions: Sequence[Version], types: Mapping[str, str]) -> str:
    if has_columns(versions[0], types):
        files = [file for version in versions for file in files_of(version)]
        values = _parquet_values(versions[0], types)
        scan = f"read_parquet({file_list(files)}, {slice_options(versions)})"
    else:
        columns = json.loads(versions[0].receipt.more["columns"])
        values, scan = _csv_values(columns, types), scan_versions(versions, columns)
    return f"select {', '.join([*values, ds_of_file(versions)])} from {scan}"


def _parquet_values(version: Version, types: Mapping[str, str]) -> list[str]:
    columns = json.loads(version.receipt.more["columns"])
    own = {column[0].lower(): _type(column) for column in columns}
    values = []
    for name, type in types.items():
        if name.lower() not in own:
            values.append(f"cast(null as {type}) as {quoted(name)}")
        elif own[name.lower()] != type or type in _WRITTEN_AS or type.startswith("ENUM("):
            values.append(f"cast({quoted(name)} as {type}) as {quoted(name)}")
        else:
            values.append(quoted(name))
    return values


def _csv_values(columns: Sequence[Sequence[str]], types: Mapping[str, str]) -> list[str]:
    decodings = {column[0]: column[4] for column in columns}
    values = []
    for name, type in types.items():
        if name not in decodings:
            value = f"cast(null as {type})"
        elif type == "varchar":
            value = as_text(name, decodings[name])
        else:
            value = decoded(name, type, decodings[name])
        values.append(f"{value} as {quoted(name)}")
    return values
