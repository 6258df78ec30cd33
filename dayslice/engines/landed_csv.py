"""Landed CSV as DuckDB reads it: COPY's text format, under one header line, compressed with zstd."""

import json
import re
from collections.abc import Sequence

from dayslice.rules.decoding import Decoding
from dayslice.rules.slices import Version

# As a version's receipt gives them: name, source name, source type, type, decoding.
Columns = Sequence[Sequence[str]]
# A line of one empty text would be an empty line, which readers skip: a table of one column gets a second one.
PADDING = "dayslice_padding"
MANY = 16
# The column of a file's name; no column of a source is called so.
FILE = "dayslice:file"


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def unescaped(column: str) -> str:
    """A text without COPY's escapes, in the SQL of DuckDB and of Trino.

    NUL cannot occur in PostgreSQL's text, so it keeps backslashes apart.
    """
    undone = f"replace({column}, '\\\\', chr(0))"
    for escape, character in (("n", 10), ("t", 9), ("r", 13), ("b", 8), ("f", 12), ("v", 11)):
        undone = f"replace({undone}, '\\{escape}', chr({character}))"
    return f"replace({undone}, chr(0), '\\')"


def decoded(name: str, type: str, decoding: str) -> str:
    """A column's value from its landed text."""
    column = quoted(name)
    if decoding == Decoding.TEXT.value:
        column = f"case when contains({column}, '\\') then {unescaped(column)} else {column} end"
    elif decoding == Decoding.HEX.value:
        # COPY writes \\x and digits: three characters before the first digit.
        column = f"unhex(substr({column}, 4))"
    elif decoding == Decoding.ERA.value:
        # DuckDB has the era after the date, and passes over one that is last.
        before_christ = f"regexp_replace({column}, '^(\\S+)(.*) BC$', '\\1 (BC)\\2')"
        column = f"case when ends_with({column}, 'C') then {before_christ} else {column} end"
    return column if type == "varchar" else f"cast({column} as {type})"


def as_text(name: str, decoding: str) -> str:
    """A column that was retyped, as PostgreSQL printed it, not as this session would."""
    escaped = decoding in (Decoding.TEXT.value, Decoding.HEX.value)
    return decoded(name, "varchar", (Decoding.TEXT if escaped else Decoding.NONE).value)


def columns_of(version: Version) -> Columns:
    """The columns of an import's version."""
    columns: Columns = json.loads(version.receipt.more["columns"])
    return columns


def gone_of(version: Version) -> dict[str, str]:
    """The columns of a version that its source had no more: name here to name there."""
    found: dict[str, str] = json.loads(version.receipt.more.get("gone", "{}"))
    return found


def scan_versions(versions: Sequence[Version], columns: Columns) -> str:
    """The landed texts of versions with the same columns, and what `ds_of_file` reads."""
    files = [f"{v.location}/{name}" for v in versions for name in json.loads(v.receipt.more["parts"])]
    longest = max(int(version.receipt.more["longest_line"]) for version in versions)
    return read_csv(files, columns, longest, slice_options(versions, ", hive_types_autocast = false"))


def has_own_folders(versions: Sequence[Version]) -> bool:
    """Whether a folder above the slices' own is called `name=value`: DuckDB would take each for a column's values."""
    return any("=" in version.location.rpartition("/")[0] for version in versions)


def slice_options(versions: Sequence[Version], more: str = "") -> str:
    """The options by which a scan knows the ds of each file."""
    if has_own_folders(versions):
        return f"hive_partitioning = false, filename = {literal(FILE)}"
    return f"hive_partitioning = true, hive_types = {{'ds': varchar}}{more}"


def ds_of_file(versions: Sequence[Version]) -> str:
    """The column ds of such a scan."""
    return f"regexp_extract({quoted(FILE)}, '/ds=([^/]*)/[^/]*$', 1) as ds" if has_own_folders(versions) else "ds"


def file_list(files: Sequence[str]) -> str:
    """Files as the first argument of a scan: each a pattern that only it matches."""
    patterns = [exactly(file) for file in files]
    if len(files) < MANY or any("\n" in each for each in patterns):
        return "[" + ", ".join(map(literal, patterns)) + "]"
    # One text: DuckDB opens a file of such views twice as fast, and reads them faster, than with a literal each.
    return f"string_split({literal(chr(10).join(patterns))}, chr(10))"


def exactly(path: str) -> str:
    """A path as a pattern that only it matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def read_csv(files: Sequence[str], columns: Columns, longest: int, options: str, compression: str = "zstd") -> str:
    """The call that reads landed files; every column is a text."""
    # DuckDB takes memory by the longest line, many times over for each thread: no more than is needed.
    longest = max(1 << 20, longest)
    raw = [*(column[0] for column in columns), *([PADDING] if len(columns) == 1 else [])]
    return (
        f"read_csv({file_list(files)}, "
        "delim = '\\t', quote = '', escape = '', nullstr = '\\N', header = true, auto_detect = false, "
        "new_line = '\\n', compression = "
        f"{literal(compression)}, max_line_size = {longest}, buffer_size = {2 * longest}, {options}, "
        f"columns = {{{', '.join(literal(name) + ': varchar' for name in raw)}}})"
    )
